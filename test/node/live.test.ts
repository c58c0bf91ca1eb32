/** Running sources in Node: moments against analyses of what had come, events, sources that are too fast, end, fail or lie, and what is left behind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LiveFrame, LiveSound } from '../../sdk/contract/live.ts';
import { createMettle, type LiveFeeds, type Mettle, type Moment } from '../../sdk/index.ts';
import { checkEmbeds } from '../helpers/embed-cases.ts';
import { checkAgainstPrefixes, inStep } from '../helpers/live-cases.ts';
import { Gate, toyStream } from '../helpers/live-toybox.ts';

const stream = toyStream(3);
let mettle: Mettle;
beforeAll(async () => {
  mettle = await createMettle({ adapters: ['toybox-ave', 'toybox-llp', 'toybox-s4'], device: 'cpu' });
});
afterAll(() => mettle.dispose());

/** A tone without an end, and no picture. */
async function* tone(seconds = Number.POSITIVE_INFINITY): AsyncGenerator<LiveSound> {
  for (let time = 0; time < seconds; time += 0.25) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const samples = Float32Array.from({ length: 12_000 }, (_, i) => 0.3 * Math.sin((time * 48_000 + i) / 20));
    yield { time, channels: [samples, samples], sampleRate: 48_000 };
  }
}

async function failureOf(feeds: LiveFeeds, options = {}): Promise<unknown> {
  try {
    for await (const _ of mettle.watch(feeds, options));
  } catch (error) {
    return error;
  }
  return expect.fail('the watch should fail');
}

describe('a toybox clip', () => {
  test('each moment says what an analysis of all that had come says', async () => {
    await checkAgainstPrefixes(mettle, stream, [0, 3, 8]);
  });

  test('hops of half a second follow each other without a gap, and adapters remember no more than the context', async () => {
    const moments = await inStep(mettle, stream, { tasks: ['parse'], context: 3 });
    const told = moments.filter(({ last }) => !last);
    expect(told.map(({ start }) => start)).toEqual(told.map((_, index) => 0.25 + index / 2));
    expect(told.map(({ end }) => end)).toEqual(told.map((_, index) => 0.75 + index / 2));
    expect(told.every(({ dropped, latency }) => dropped === 0 && latency >= 0)).toBe(true);
  });

  test('an event begins once, goes on under its number, and ends once', async () => {
    const moments = await inStep(mettle, stream, { tasks: ['parse'] });
    const began = moments.flatMap(({ events }) => events.began);
    const ended = moments.flatMap(({ events }) => events.ended);
    expect(began.length).toBeGreaterThan(0);
    expect(new Set(began.map(({ id }) => id)).size).toBe(began.length);
    expect(ended.map(({ id }) => id).sort()).toEqual(began.map(({ id }) => id).sort());
    for (const { id, start, end, label, modality } of ended) {
      const first = moments.findIndex(({ events }) => events.began.some((event) => event.id === id));
      const last = moments.findIndex(({ events }) => events.ended.some((event) => event.id === id));
      for (const { events } of moments.slice(first + 1, last)) {
        expect(events.ongoing.find((event) => event.id === id)).toMatchObject({ label, modality, start });
      }
      expect(end).toBeGreaterThan(start);
    }
  });
});

test('embed gives vectors that find the same seconds again', async () => {
  const { adapter } = await checkEmbeds(mettle, stream);
  expect(adapter).toBe('toybox-ave');
  await expect(mettle.embed(stream.clip(1), { adapter: 'toybox-av' })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('Did you mean "toybox-ave"'),
  });
});

describe('pace', () => {
  test('a source that is faster than its reader loses whole moments, which are counted', async () => {
    const gate = new Gate();
    gate.release(1.25);
    const moments: Moment[] = [];
    for await (const moment of mettle.watch(stream.feeds(gate), { tasks: ['parse'], hop: 0.5 })) {
      moments.push(moment);
      gate.release(moment.heard + 2.25);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const told = moments.filter(({ last }) => !last);
    expect(told.some(({ dropped }) => dropped > 0)).toBe(true);
    told.forEach(({ index, dropped }, i) => expect(index).toBe((told[i - 1]?.index ?? -1) + 1 + dropped));
    expect(told.at(-1)!.index).toBe((stream.seconds - 1) / 0.5);
  });

  test('sound alone needs no picture', async () => {
    const heard: Moment[] = [];
    for await (const moment of mettle.watch({ sound: tone() }, { tasks: ['parse'], hop: 1 })) {
      heard.push(moment);
      if (heard.length === 3) break;
    }
    expect(heard[0]!.results[0]!.warnings.map(({ code }) => code)).toEqual(['no-picture']);
    expect(heard.map(({ heard }) => heard)).toEqual([...heard.map(({ heard }) => heard)].sort((a, b) => a - b));
  });
});

describe('ends', () => {
  test('leaving the loop closes the source', async () => {
    let closed = false;
    async function* sound(): AsyncGenerator<LiveSound> {
      try {
        yield* tone();
      } finally {
        closed = true;
      }
    }
    for await (const _ of mettle.watch({ sound: sound() }, { tasks: ['parse'] })) break;
    expect(closed).toBe(true);
  });

  test('an abort, a source that fails, and a disposed Mettle', async () => {
    const reason = new Error('enough');
    expect(await failureOf({ sound: tone() }, { signal: AbortSignal.timeout(100) })).toMatchObject({
      name: 'TimeoutError',
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    expect(await failureOf({ sound: tone() }, { signal: controller.signal })).toBe(reason);
    async function* broken(): AsyncGenerator<LiveFrame> {
      yield { time: 0, frame: { width: 1, height: 1, data: new Uint8Array(3) } };
      throw new Error('the camera fell');
    }
    expect(await failureOf({ frames: broken() })).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('the camera fell'),
    });
    const other = await createMettle({ adapters: ['toybox-ave'], device: 'cpu' });
    const watch = other.watch({ sound: tone() });
    await watch.next();
    await other.dispose();
    await expect(watch.next()).rejects.toMatchObject({ code: 'disposed' });
  });

  test('a rate that changes is told', async () => {
    async function* changing(): AsyncGenerator<LiveSound> {
      yield { time: 0, channels: [new Float32Array(8000)], sampleRate: 8000 };
      yield { time: 1, channels: [new Float32Array(8000)], sampleRate: 16_000 };
    }
    expect(await failureOf({ sound: changing() })).toMatchObject({ code: 'unsupported-codec' });
  });
});

test.each([
  [null, {}, /source must be/],
  [{}, {}, /neither sound nor pictures|no cameras/],
  [{ sound: [1, 2] }, {}, /source.sound must be an async iterable/],
  [{ sound: tone() }, { hop: 3 }, /options.hop must be a number of seconds from 0.25 to 1/],
  [{ sound: tone() }, { hopp: 1 }, /Did you mean "hop"/],
  [{ sound: tone() }, { tasks: ['parze'] }, /Did you mean "parse"/],
])('%j with %j is refused', async (source, options, message) => {
  expect(await failureOf(source as never, options as never)).toMatchObject({
    code: 'invalid-argument',
    message: expect.stringMatching(message),
  });
});
