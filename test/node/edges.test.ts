/** Sharp edges of the public API: whatever is given or fails, what comes out is a MettleError with a code, or what the caller threw. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Clip,
  classColor,
  createMettle,
  drawMask,
  drawTimeline,
  listShipped,
  type Mettle,
  MettleError,
  openClip,
  segmentCount,
  toJSON,
  toWebVTT,
} from '../../sdk/index.ts';
import { configFor, openTools, readDataset, train, trainAdapter } from '../../sdk/train/index.ts';

const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
// biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them
const untyped = (value: unknown): any => value;

async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
}

const pixels = { width: 2, height: 1, data: new Uint8Array(8) };
const mask = {
  start: 0,
  end: 1,
  width: 1,
  height: 1,
  data: new Uint8Array(1),
  area: 0,
  familiarity: null,
  withheld: false,
};

let mettle: Mettle;
let clip: Clip;
beforeAll(async () => {
  mettle = await createMettle({ backbone: 'nano', device: 'cpu' });
  clip = await openClip(film);
}, 120_000);
afterAll(async () => {
  await clip.dispose();
  await mettle.dispose();
});

describe('a wrong call', () => {
  const calls: [string, () => unknown, string | RegExp][] = [
    ['createMettle(null)', () => createMettle(untyped(null)), 'options must be an object, not null.'],
    ['createMettle("nano")', () => createMettle(untyped('nano')), 'options must be an object, not "nano".'],
    ['a misspelt option', () => createMettle(untyped({ adapter: ['a'] })), 'Did you mean "adapters"?'],
    ['a misspelt device', () => createMettle({ device: untyped('webgup') }), 'Did you mean "webgpu"?'],
    [
      'a worker that is none',
      () => createMettle({ worker: untyped(true) }),
      'options.worker must be a function, or false',
    ],
    [
      'a factory of nothing',
      () => createMettle({ worker: () => untyped({}) }),
      'What options.worker returns must be a worker',
    ],
    ['a wait of no time', () => createMettle({ stallSeconds: 0 }), 'a number of seconds above 0'],
    ['three backbones', () => createMettle({ backbone: untyped(['a', 'b', 'c']) }), 'options.backbone must be'],
    ['a signal that is none', () => createMettle({ signal: untyped(new AbortController()) }), 'options.signal must be'],
    [
      'a text for a function',
      () => createMettle({ onProgress: untyped('log') }),
      'options.onProgress must be a function',
    ],
    ['an unknown field of openClip', () => openClip(film, untyped({ sginal: 1 })), 'Did you mean "signal"?'],
    ['no source', () => mettle.localize(untyped(undefined)), 'source is undefined; expected a Blob'],
    ['bytes as a source', () => mettle.parse(untyped(new Uint8Array(9))), 'source is'],
    [
      'a misspelt field of a source',
      () => mettle.parse(untyped({ frames: [], framerate: 1 })),
      'Did you mean "frameRate"?',
    ],
    [
      'a buffer for sound',
      () => mettle.parse(untyped({ audio: { samples: [], sampleRate: 1 } })),
      'source.audio.samples is unknown',
    ],
    ['a function as a frame', () => mettle.parse(untyped({ frames: [() => 1], frameRate: 1 })), 'handed to a worker'],
    ['a misspelt option of a task', () => mettle.segment(film, untyped({ adaptor: 'a' })), 'Did you mean "adapter"?'],
    ['null for options', () => mettle.localize(film, untyped(null)), 'options must be an object, not null.'],
    ['a misspelt task', () => mettle.analyze(film, { tasks: untyped(['localise']) }), 'Did you mean "localize"?'],
    ['half a pixel', () => mettle.analyze(film, { thumbnailHeight: 0.5 }), 'a whole number from 1'],
    [
      'a format of nothing',
      () => clip.segments(untyped(null))[Symbol.asyncIterator]().next(),
      'format must be an object',
    ],
    [
      'a misspelt field of a format',
      () =>
        clip
          .segments(untyped({ frame: { width: 1, height: 1 }, samplerate: 1 }))
          [Symbol.asyncIterator]()
          .next(),
      'Did you mean "sampleRate"?',
    ],
    [
      'a misspelt option of segments',
      () =>
        clip
          .segments({ frame: { width: 1, height: 1 }, sampleRate: 8000 }, untyped({ signl: 1 }))
          [Symbol.asyncIterator]()
          .next(),
      'Did you mean "signal"?',
    ],
    ['listShipped("x")', () => listShipped(untyped('x')), 'options must be an object'],
    ['segmentCount("3")', () => segmentCount(untyped('3')), 'duration must be a number of seconds'],
    ['classColor(-1)', () => classColor(-1), 'index must be a whole number from 0 on'],
    ['toJSON(3)', () => toJSON(untyped(3), { source: 'a' }), 'results must be a result, a list of results'],
    ['toJSON([3])', () => toJSON(untyped([3]), { source: 'a' }), 'each of results must be a result, not 3'],
    ['toJSON without info', () => toJSON([], untyped(undefined)), 'info.source must be a text'],
    ['a misspelt field of info', () => toJSON([], untyped({ source: 'a', egnine: null })), 'Did you mean "engine"?'],
    ['toWebVTT(null)', () => toWebVTT(untyped(null)), 'results must be a result'],
    ['drawMask of a list', () => drawMask(pixels, untyped([mask])), 'mask must be a mask of a result'],
    ['drawMask on nothing', () => drawMask(untyped(null), mask), 'target must be a 2D context'],
    ['a misspelt style', () => drawMask(pixels, mask, untyped({ colour: [1, 2, 3] })), 'Did you mean "color"?'],
    ['a colour of CSS', () => drawMask(pixels, mask, { color: untyped('red') }), 'style.color must be a list of red'],
    [
      'drawTimeline on pixels',
      () => drawTimeline(untyped(pixels), untyped({}), { width: 1, height: 1 }),
      'ctx must be',
    ],
    ['openTools', () => openTools(untyped({ backbones: 'nano' })), 'Did you mean "backbone"?'],
    ['trainAdapter', () => trainAdapter(untyped({ epoch: 1 })), 'Did you mean "epochs"?'],
    ['train', () => train(untyped({ batches: 1 })), 'Did you mean "batch"?'],
    ['readDataset', () => readDataset(untyped({ name: 'x' }), untyped({ fromat: 'ave' })), 'Did you mean "format"?'],
    [
      'configFor',
      () => configFor({ task: 'parse', classes: ['a'], items: [] }, untyped({ layer: 1 })),
      'Did you mean "layers"?',
    ],
  ];
  test.each(calls)('%s', async (_, call, message) => {
    const error = await failureOf(call);
    expect(error).toBeInstanceOf(MettleError);
    expect(error).toMatchObject({ code: 'invalid-argument' });
    expect((error as MettleError).message).toContain(message);
  });

  test('a name that is not there is told with the one that was meant', async () => {
    expect(await failureOf(() => createMettle({ backbone: 'nanno' }))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Did you mean "nano"?'),
    });
    expect(await failureOf(() => mettle.localize(film, { adapter: 'toybox_ave' }))).toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Did you mean "toybox-ave"?'),
    });
  });
});

describe('what the caller throws', () => {
  const theirs = Object.assign(new TypeError('mine'), { extra: 1 });
  const fail = () => {
    throw theirs;
  };

  test.each([undefined, false] as const)(
    'in onProgress of createMettle comes out as it is, worker %s',
    async (worker) => {
      expect(await failureOf(() => createMettle({ device: 'cpu', worker, onProgress: fail }))).toBe(theirs);
      const late = ({ phase }: { phase: string }) => phase === 'warmup' && fail();
      expect(await failureOf(() => createMettle({ device: 'cpu', worker, onProgress: late }))).toBe(theirs);
    },
  );

  test('in callbacks of a call, and in a factory of workers', async () => {
    expect(await failureOf(() => mettle.analyze(film, { onProgress: fail }))).toBe(theirs);
    expect(await failureOf(() => mettle.analyze(film, { onSegment: fail }))).toBe(theirs);
    expect(await failureOf(() => createMettle({ worker: fail }))).toBe(theirs);
    const text = () => {
      throw 'mine';
    };
    expect(await failureOf(() => mettle.analyze(film, { onSegment: text }))).toBe('mine');
    expect((await mettle.localize(film)).task).toBe('localize');
  });
});

describe('after dispose', () => {
  test.each([undefined, false] as const)('every call speaks of the Mettle, worker %s', async (worker) => {
    const gone = await createMettle({ device: 'cpu', worker });
    const open = [gone.localize(film), gone.analyze(film), gone.parse(film)];
    const ends = Promise.all(open.map((call) => failureOf(() => call)));
    await gone.dispose();
    const later = [
      () => gone.segment(film),
      () => gone.analyze(film, untyped({ x: 1 })),
      () => gone.localize(film, { adapter: 'x' }),
    ];
    for (const error of [...(await ends), ...(await Promise.all(later.map(failureOf)))]) {
      expect(error).toMatchObject({
        code: 'disposed',
        message: 'The Mettle was disposed.',
        hint: 'Create a new one with createMettle().',
      });
    }
    await gone.dispose();
  });
});

test('progress tells models and files, and counts each byte once', async () => {
  const steps: { model: string; file: string; done: number; total: number }[] = [];
  await using _ = await createMettle({
    device: 'cpu',
    adapters: ['toybox-ave'],
    onProgress: (progress) => progress.phase === 'download' && steps.push(progress),
  });
  expect(new Set(steps.map(({ model }) => model))).toEqual(new Set(['nano', 'toybox-ave']));
  expect(new Set(steps.map(({ total }) => total)).size).toBe(1);
  expect(steps[0]).toMatchObject({ model: 'nano', file: 'manifest.json', done: 0 });
  expect(steps.map(({ done }) => done)).toEqual(steps.map(({ done }) => done).toSorted((a, b) => a - b));
  expect(steps.at(-1)!.done).toBe(steps.at(-1)!.total);
  expect(steps.map(({ file }) => file)).toContain('clip.stored8.onnx');
});

test('toJSON and toWebVTT take a result, several, or an analysis, which brings what it knows', async () => {
  const analysis = await mettle.analyze(film);
  const [first] = analysis.results;
  const { results, source, timing } = toJSON(analysis, { source: 'film', engine: mettle.info() });
  expect(results).toHaveLength(analysis.results.length);
  expect(source).toMatchObject({ name: 'film', video: analysis.video, audio: analysis.audio });
  expect(timing).not.toBeNull();
  expect(toJSON(first!, { source: 'film' })).toEqual(toJSON([first!], { source: 'film' }));
  expect(toWebVTT(analysis)).toBe(toWebVTT(analysis.results));
  expect(toWebVTT(first!)).toBe(toWebVTT([first!]));
});
