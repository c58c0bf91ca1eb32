/** Determinism: the same input on the same device gives the same bytes, and another device names the same events. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createMettle, type SegmentationResult, type TaskResult } from '../../sdk/index.ts';
import { toyboxClips } from '../bench/same-clips.ts';
import { compareResults, summarise, textOf } from '../bench/same-compare.ts';

const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4', 'toybox-ms3'];

const clips = toyboxClips(2);

async function resultsOn(device: 'cpu' | 'wasm'): Promise<TaskResult[][]> {
  await using mettle = await createMettle({ adapters, device, threads: 1 });
  const all: TaskResult[][] = [];
  for (const clip of clips) {
    const source = await clip.read();
    all.push((await mettle.analyze(source instanceof Uint8Array ? new Blob([source]) : source)).results);
  }
  return all;
}

describe('two toybox clips, by four adapters', () => {
  const found = {} as Record<'cpu' | 'wasm', TaskResult[][]>;
  beforeAll(async () => {
    found.cpu = await resultsOn('cpu');
    found.wasm = await resultsOn('wasm');
  }, 180_000);

  test.for(['cpu', 'wasm'] as const)(
    'once more on %s in a fresh Mettle: the same bytes',
    { timeout: 180_000 },
    async (device) => {
      const events = found[device].flat().flatMap((result) => (result.task === 'segment' ? [] : result.events));
      expect(events.length).toBeGreaterThan(0);
      expect(textOf(await resultsOn(device))).toBe(textOf(found[device]));
    },
  );

  test('on the CPU and on WASM: the same events, probabilities within 0.002', () => {
    const compared = found.cpu.map((results, i) => ({ name: `${i}`, found: compareResults(results, found.wasm[i]!) }));
    for (const { adapter, clips: count, differences, probability, pixels } of summarise(compared)) {
      expect({ adapter, count, differences }).toEqual({ adapter, count: clips.length, differences: [] });
      // Masks are told in steps of 1/255.
      expect(probability, adapter).toBeLessThanOrEqual(pixels.all > 0 ? 1.01 / 255 : 0.002);
    }
  });
});

describe('the comparison', () => {
  const base = { duration: 2, untrained: false, scope: null, withheld: 0, warnings: [] };
  const localized = (label: string, probability: number): TaskResult => ({
    ...{ ...base, task: 'localize', adapter: 'a', classes: ['bell', 'dog'] },
    events: [{ label, classIndex: 0, start: 0, end: 1, confidence: probability, resolution: 1 }],
    seconds: [
      { start: 0, end: 1, label, probabilities: [probability, 1 - probability], familiarity: 1, withheld: false },
    ],
  });
  const masked = (...data: number[]): SegmentationResult => ({
    ...{ ...base, task: 'segment', adapter: 's' },
    masks: [
      {
        ...{ start: 0, end: 1, width: data.length, height: 1, area: 0, familiarity: 1, withheld: false },
        data: Uint8Array.from(data),
      },
    ],
  });

  test('names events that one device alone has, and counts pixels on the other side of one half', () => {
    const found = compareResults(
      [localized('bell', 0.75), masked(0, 127, 255)],
      [localized('dog', 0.5), masked(0, 128, 254)],
    );
    expect(found).toEqual([
      {
        ...{ adapter: 'a', task: 'localize', lost: ['bell 0-1 s'], added: ['dog 0-1 s'], probability: 0.25 },
        ...{ pixels: { differ: 0, all: 0 }, exact: false },
      },
      {
        ...{ adapter: 's', task: 'segment', lost: [], added: [], probability: expect.closeTo(1 / 255, 6) },
        ...{ pixels: { differ: 1, all: 3 }, exact: false },
      },
    ]);
    expect(summarise([{ name: 'clip', found }])).toMatchObject([
      { adapter: 'a', clips: 1, same: 0, exact: 0, differences: [{ clip: 'clip', lost: ['bell 0-1 s'] }] },
      { adapter: 's', clips: 1, same: 0, exact: 0, differences: [] },
    ]);
  });

  test('a page sends pixels as numbers, and they are the same all the same', () => {
    const results = [localized('bell', 0.1), masked(3, 200)];
    const sent = JSON.parse(textOf(results)) as TaskResult[];
    expect(compareResults(results, sent).map(({ exact }) => exact)).toEqual([true, true]);
  });
});
