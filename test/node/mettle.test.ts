/** The public API in Node: options, verbs, overlap, cancellation, disposal, and one backbone pass for all adapters. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createMettle, type Mettle, type RawClip, type Task } from '../../sdk/index.ts';

const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));

const rawClip = (seconds: number): RawClip => ({
  frames: Array.from({ length: seconds }, (_, i) => ({
    width: 4,
    height: 4,
    data: new Uint8Array(48).fill(40 * i),
  })),
  frameRate: 1,
  audio: { channels: [Float32Array.from({ length: 16000 * seconds }, (_, i) => Math.sin(i / 9))], sampleRate: 16000 },
});

async function withMettle(use: (mettle: Mettle) => Promise<void>): Promise<void> {
  await using mettle = await createMettle({ backbone: 'nano', device: 'cpu' });
  await use(mettle);
}

describe('createMettle', () => {
  test.each([
    [{ device: 'gpu' }, 'options.device must be one of auto, webgpu, wasm, cpu, cuda, not "gpu".'],
    [{ adapters: 'toybox-ave' }, 'options.adapters must be an array of ids, paths or URLs, not "toybox-ave".'],
    [{ threads: 0 }, 'options.threads must be a whole number from 1 on, not 0.'],
    [{ backbone: '' }, 'options.backbone must be an id, a path or a URL'],
  ])('refuses %j', async (options, message) => {
    const call = createMettle(options as never);
    await expect(call).rejects.toMatchObject({ code: 'invalid-argument', message: expect.stringContaining(message) });
  });

  test('refuses an adapter that is not there, naming those that are', async () => {
    await expect(createMettle({ adapters: ['nope'] })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('toybox-ave'),
    });
  });

  test('reports progress in order and stops when aborted', async () => {
    const phases: string[] = [];
    await using mettle = await createMettle({
      device: 'cpu',
      onProgress: ({ phase, done, total }) => {
        expect(done).toBeLessThanOrEqual(total);
        if (phases.at(-1) !== phase) phases.push(phase);
      },
    });
    expect(phases).toEqual(['download', 'load', 'warmup']);
    expect(mettle.info().why[0]).toMatch(/CPU/);
    await expect(createMettle({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });
});

test('all adapters answer on one pass, as each does alone', () =>
  withMettle(async (mettle) => {
    const { results, segments, duration, timing } = await mettle.analyze(film);
    expect(results.map(({ adapter }) => adapter)).toEqual(mettle.info().adapters.map(({ id }) => id));
    const first = (wanted: Task) => results.find(({ task }) => task === wanted);
    expect(segments).toBe(Math.ceil(duration - 0.1));
    expect(timing.totalMs).toBeGreaterThan(0);
    expect(await mettle.localize(film)).toEqual(first('localize'));
    expect(await mettle.parse(film)).toEqual(first('parse'));
    expect(await mettle.segment(film)).toEqual(first('segment'));
  }));

test('calls that overlap do not disturb each other', () =>
  withMettle(async (mettle) => {
    const [long, short] = [rawClip(13), rawClip(2)];
    const alone = [await mettle.parse(long), await mettle.parse(short)];
    expect(await Promise.all([mettle.parse(long), mettle.parse(short)])).toEqual(alone);
  }));

test('a clip without sound has no events, a warning, and empty masks', () =>
  withMettle(async (mettle) => {
    const { frames, frameRate } = rawClip(3);
    const { results } = await mettle.analyze({ frames, frameRate });
    expect(new Set(results.map(({ task }) => task))).toEqual(new Set(['localize', 'parse', 'segment']));
    for (const result of results) {
      expect(result.warnings.map(({ code }) => code)).toContain('no-audio');
      if (result.task === 'localize') expect(result.events).toEqual([]);
      else if (result.task === 'segment') expect(result.masks.map(({ area }) => area)).toEqual([0, 0, 0]);
      else expect(result.events.every(({ modality }) => modality === 'visual')).toBe(true);
    }
  }));

test('NaN in raw sound is refused before anything runs', () =>
  withMettle(async (mettle) => {
    const clip = rawClip(1);
    clip.audio!.channels[0]![5] = Number.NaN;
    await expect(mettle.analyze(clip)).rejects.toMatchObject({ code: 'invalid-argument' });
  }));

test('an aborted call rejects with the reason and leaves the rest alive', () =>
  withMettle(async (mettle) => {
    const controller = new AbortController();
    const call = mettle.analyze(rawClip(20), {
      signal: controller.signal,
      onProgress: ({ done }) => done === 3 && controller.abort(new Error('enough')),
    });
    await expect(call).rejects.toThrow('enough');
    expect((await mettle.localize(rawClip(1))).seconds).toHaveLength(1);
  }));

test('after dispose every call says so', async () => {
  const mettle = await createMettle({ device: 'cpu', adapters: ['toybox-ave'] });
  await expect(mettle.parse(film)).rejects.toMatchObject({ code: 'not-found' });
  await mettle.dispose();
  await mettle.dispose();
  await expect(mettle.localize(film)).rejects.toMatchObject({ code: 'disposed' });
});
