/** Sharp edges that only a page has: the runtime's bytes in the progress, a runtime that is not there, frames and elements that cannot be read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CreateProgress,
  createMettle,
  drawTimeline,
  type Mettle,
  MettleError,
  openClip,
} from '../../sdk/index.ts';
import { openTools } from '../../sdk/train/index.ts';

const runtimePath = '/node_modules/onnxruntime-web/dist/';
// biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them
const untyped = (value: unknown): any => value;

async function failureOf(call: () => unknown): Promise<MettleError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(MettleError);
    return error as MettleError;
  }
  throw new Error('expected a failure');
}

test.each(['wasm', 'auto'] as const)('progress counts models and runtime in one sum, device %s', async (device) => {
  const steps: CreateProgress[] = [];
  await using mettle = await createMettle({
    device,
    runtimePath,
    adapters: ['toybox-ave'],
    onProgress: (p) => steps.push(p),
  });
  const downloads = steps.filter((step) => step.phase === 'download');
  const [first] = downloads;
  expect(first).toMatchObject({ model: 'nano', file: 'manifest.json', done: 0 });
  const last = downloads.at(-1)!;
  expect(last).toMatchObject({ model: 'runtime', file: expect.stringMatching(/\.wasm$/) });
  if (mettle.info().warnings.some(({ code }) => code === 'device-fallback')) return;
  // The size that is written down is that of the file that comes.
  const { size } = await (await fetch(`${runtimePath}${last.file}`)).blob();
  expect(new Set(downloads.map(({ total }) => total)).size).toBe(1);
  const before = downloads.filter(({ model }) => model !== 'runtime').at(-1)!;
  expect(last.total - before.done).toBe(size);
  expect(last.done).toBe(last.total);
  const done = downloads.map((step) => step.done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(steps.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
    'download',
    'load',
    'warmup',
  ]);
});

describe('a runtime that cannot be loaded', () => {
  test.each([
    ['is not there', '/nothing/here/'],
    // Vite answers addresses like these with the page itself.
    ['is a page', '/src/'],
  ])('because it %s is told with the folder, the command and the option', async (_, folder) => {
    const error = await failureOf(() => createMettle({ device: 'wasm', runtimePath: folder }));
    expect(error.code).toMatch(/^(device|integrity)$/);
    expect(error.message).toContain(folder);
    expect(error.hint).toMatch(/npx mettle assets[\s\S]*assets:/);
  });

  test('as WebAssembly alone is found out by its bytes', async () => {
    const fetching = globalThis.fetch;
    try {
      globalThis.fetch = async (input, init) =>
        String(input instanceof Request ? input.url : input).endsWith('.wasm')
          ? new Response('<!doctype html><p>Not found', { headers: { 'content-type': 'text/html' } })
          : fetching(input, init);
      const error = await failureOf(() => openTools({ device: 'wasm', runtimePath }));
      expect(error).toMatchObject({ code: 'integrity', message: expect.stringContaining('an HTML page') });
    } finally {
      globalThis.fetch = fetching;
    }
  });
});

describe('what a page hands over', () => {
  let mettle: Mettle;
  beforeAll(async () => {
    mettle = await createMettle({ device: 'wasm', runtimePath, adapters: ['toybox-ave'] });
  }, 120_000);
  afterAll(() => mettle.dispose());

  const frame = (): VideoFrame => {
    const init = { format: 'RGBA', codedWidth: 2, codedHeight: 2, timestamp: 0 } as const;
    return new VideoFrame(new Uint8Array(16), init);
  };

  test.each<[string, () => unknown, string]>([
    [
      'a closed frame',
      () => {
        const closed = frame();
        closed.close();
        return { frames: [closed], frameRate: 1 };
      },
      'source.frames[0] cannot be read',
    ],
    [
      'a canvas of no size',
      () => ({ frames: [new OffscreenCanvas(0, 0)], frameRate: 1 }),
      'source.frames[0] cannot be read',
    ],
    ['an element that plays nothing', () => document.createElement('video'), 'The video element plays nothing'],
    ['an image', () => document.createElement('img'), 'source is object; expected'],
    ['a file list', () => document.createElement('input'), 'source is object; expected'],
    ['a function for a frame', () => ({ frames: [() => 1], frameRate: 1 }), 'cannot be handed to a worker'],
    ['an AudioBuffer', () => ({ audio: new AudioBuffer({ length: 8, sampleRate: 8000 }) }), 'source.audio'],
  ])('%s is refused in words', async (_, source, message) => {
    const error = await failureOf(() => mettle.localize(untyped(source())));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toContain(message);
  });

  test('devices of Node are refused', async () => {
    expect(await failureOf(() => createMettle({ device: 'cpu', runtimePath }))).toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('a film that is not there, and a blob that is gone', async () => {
    expect(await failureOf(() => openClip('/nothing/here.webm'))).toMatchObject({
      code: expect.stringMatching(/not-/),
    });
    expect(await failureOf(() => openClip('blob:nothing'))).toMatchObject({
      code: expect.stringMatching(/^(network|not-found)$/),
    });
    expect(await failureOf(() => openClip('https://['))).toMatchObject({ code: 'invalid-argument' });
  });

  test('drawing takes a context', () => {
    expect(() => drawTimeline(untyped(document.createElement('canvas')), untyped({}), { width: 1, height: 1 })).toThrow(
      'ctx must be a 2D context of a canvas, not a HTMLCanvasElement.',
    );
  });
});

test('a page that allows no workers says so', async () => {
  const { Worker } = globalThis;
  try {
    globalThis.Worker = class {
      constructor() {
        throw new DOMException('refused by the policy', 'SecurityError');
      }
    } as never;
    for (const call of [() => createMettle({ runtimePath }), () => openClip('/a.webm')]) {
      const error = await failureOf(call);
      expect(error.code).toBe('worker-died');
      expect(error.message).toContain('refused by the policy');
      expect(error.hint).toContain('worker-src');
    }
  } finally {
    globalThis.Worker = Worker;
  }
});
