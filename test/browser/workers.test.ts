/** What callers in a page see of workers that loop, are killed or are not wanted: an error that names what it was, and a next call that works. */
import { afterEach, describe, expect, it } from 'vitest';
import type { RawClip } from '../../sdk/contract/clip.ts';
import type { WorkerFactory } from '../../sdk/contract/worker.ts';
import { createMettle, type Mettle } from '../../sdk/index.ts';
import type { CreateOptions } from '../../sdk/load.ts';

const opened: Mettle[] = [];
afterEach(async () => {
  for (const mettle of opened.splice(0)) await mettle.dispose();
});

function clip(seconds: number): RawClip {
  const samples = new Float32Array(48_000 * seconds).map((_, i) => 0.3 * Math.sin(i / 20));
  const frames = Array.from({ length: seconds }, (_, second) => ({
    width: 64,
    height: 48,
    data: new Uint8Array(64 * 48 * 3).fill(40 + second),
  }));
  return { frames, frameRate: 1, audio: { channels: [samples], sampleRate: 48_000 } };
}

/** Workers of which the first decoder goes round for ever. */
function workers(firstDecoderLoops = false): { worker: WorkerFactory; all: { name: string; worker: Worker }[] } {
  const all: { name: string; worker: Worker }[] = [];
  const loop = URL.createObjectURL(new Blob(['for (;;);'], { type: 'text/javascript' }));
  const worker: WorkerFactory = (script, name) => {
    const loops = firstDecoderLoops && name === 'decode' && !all.some((other) => other.name === 'decode');
    const own = new Worker(loops ? loop : script, { type: 'module', name });
    all.push({ name, worker: own });
    return own;
  };
  return { worker, all };
}

async function open(options: CreateOptions): Promise<Mettle> {
  const mettle = await createMettle({ adapters: ['toybox-ave'], device: 'wasm', ...options });
  opened.push(mettle);
  return mettle;
}

describe('a decoder that loops', () => {
  it('is ended, the call names the source, and the next one works', async () => {
    const mettle = await open({ worker: workers(true).worker, stallSeconds: 8 });
    await expect(mettle.localize(clip(2))).rejects.toMatchObject({
      code: 'stalled',
      message: expect.stringContaining('the raw clip made no progress for 8 s'),
    });
    expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
  });

  it('does not keep an abort waiting', async () => {
    const mettle = await open({ worker: workers(true).worker });
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = mettle.localize(clip(2), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(call).rejects.toBe(reason);
    expect((await mettle.localize(clip(1))).seconds).toHaveLength(1);
  });
});

describe('a worker that is killed', () => {
  it.each(['decode', 'engine'])(
    'while a clip runs (%s) rejects the call, and the next finds a fresh one',
    async (name) => {
      const { worker, all } = workers();
      const mettle = await open({ worker });
      const call = mettle.localize(clip(60), {
        onProgress: ({ done }) => {
          if (done === 2) all.findLast((one) => one.name === name)!.worker.terminate();
        },
      });
      await expect(call).rejects.toMatchObject({ code: 'worker-died' });
      expect((await mettle.localize(clip(2))).seconds).toHaveLength(2);
    },
  );
});

describe('sources that live in the page', () => {
  /** The same picture as arrays, and as what a browser has. */
  async function pictures(): Promise<Record<string, NonNullable<RawClip['frames']>[number]>> {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 48];
    const context = canvas.getContext('2d')!;
    context.fillStyle = 'rgb(200, 40, 90)';
    context.fillRect(8, 8, 30, 20);
    const offscreen = new OffscreenCanvas(64, 48);
    offscreen.getContext('2d')!.drawImage(canvas, 0, 0);
    return {
      array: context.getImageData(0, 0, 64, 48),
      canvas,
      offscreen,
      bitmap: await createImageBitmap(canvas),
      frame: new VideoFrame(canvas, { timestamp: 0 }),
    };
  }

  it('are read where they live, answer as arrays do, and stay usable', async () => {
    const mettle = await open({});
    const all = await pictures();
    const answers: Record<string, unknown> = {};
    for (const [name, frame] of Object.entries(all)) {
      const { seconds } = await mettle.localize({ frames: [frame], frameRate: 1, audio: clip(1).audio });
      answers[name] = seconds;
    }
    for (const name of ['canvas', 'offscreen', 'bitmap', 'frame']) expect(answers[name]).toEqual(answers.array);
    expect((all.bitmap as ImageBitmap).width).toBe(64);
    expect((all.frame as VideoFrame).displayWidth).toBe(64);
    (all.frame as VideoFrame).close();
  });
});

it('worker: false gives the same answers in this thread', async () => {
  const { seconds } = await (await open({})).localize(clip(3));
  const here = await (await open({ worker: false })).localize(clip(3));
  expect(here.seconds).toEqual(seconds);
});
