/** What `explain` promises, the same in Node and in a page. */
import { expect } from 'vitest';
import type { ExplainedSecond, ExplainedSense, Mettle, RawClip, TaskResult } from '../../sdk/index.ts';
import { inStep } from './live-cases.ts';
import type { ToyStream } from './live-toybox.ts';

const without = ({ explanation: _, ...result }: TaskResult): object => result;
const sumOf = (data: ArrayLike<number>): number => Array.from(data).reduce((a, b) => a + b, 0);

/** What is told of a sense: shares that add up, on grids from fine to coarse, the finest of them that of all layers in one. */
function checkSense(sense: ExplainedSense | null, finest: [rows: number, columns: number], layers: number): void {
  expect(sense!.layers).toHaveLength(layers);
  expect(sumOf(sense!.layers.map(({ weight }) => weight))).toBeCloseTo(1, 5);
  for (const { map, weight } of sense!.layers) {
    expect(weight).toBeGreaterThan(0);
    expect(sumOf(map!.data)).toBeCloseTo(1, 4);
    expect(map!.data).toHaveLength(map!.rows * map!.columns);
    expect(Math.min(...map!.data)).toBeGreaterThanOrEqual(0);
  }
  expect([sense!.map!.rows, sense!.map!.columns]).toEqual(finest);
  expect(sumOf(sense!.map!.data)).toBeCloseTo(1, 4);
}

/** Answers are the same to the bit with and without; what was not asked for is not there, and takes no memory. */
export async function checkExplains(mettle: Mettle, clip: RawClip): Promise<void> {
  const { bytes } = mettle.memory();
  const plain = await mettle.analyze(clip);
  expect(mettle.memory().bytes).toBe(bytes);
  for (const result of plain.results) expect(result).not.toHaveProperty('explanation');

  const { results } = await mettle.analyze(clip, { explain: true });
  expect(results.map(without)).toEqual(plain.results);
  const { models } = mettle.memory();
  expect(mettle.memory().bytes).toBe(bytes + sumOf(models.slice(1).map((model) => model.bytes)) / 2);
  for (const { task, explanation } of results) {
    expect(explanation!.map(({ start, end }) => [start, end])).toEqual(
      Array.from({ length: plain.segments }, (_, i) => [i, Math.min(i + 1, plain.duration)]),
    );
    for (const { picture, sound } of explanation!) {
      // Masks are guided by the top layer's meta-tokens alone.
      if (task === 'segment') {
        checkSense(picture, [4, 4], 1);
        checkSense(sound, [4, 2], 1);
      } else {
        checkSense(picture, [32, 32], 10);
        checkSense(sound, [32, 16], 8);
      }
      expect([sound!.spectrum.rows, sound!.spectrum.columns]).toEqual([128, 64]);
    }
  }
  expect((await mettle.analyze(clip)).results).toEqual(plain.results);
}

/** A second that lacks a sense tells nothing of it. */
export async function checkMissingSense(mettle: Mettle, { frames, frameRate, audio }: RawClip): Promise<void> {
  const [seen] = (await mettle.analyze({ frames, frameRate }, { explain: true })).results;
  for (const { picture, sound } of seen!.explanation!) {
    expect(sound).toBeNull();
    expect(picture!.map).not.toBeNull();
  }
  const [heard] = (await mettle.analyze({ audio }, { explain: true })).results;
  for (const { picture, sound } of heard!.explanation!) {
    expect(picture).toBeNull();
    expect(sound!.map).not.toBeNull();
  }
}

/** With a hop of a second, each moment of a running source is explained as the second of the clip is. */
export async function checkExplainedMoments(mettle: Mettle, stream: ToyStream): Promise<void> {
  const moments = (await inStep(mettle, stream, { hop: 1, explain: true })).slice(0, 3);
  const { results } = await mettle.analyze(stream.clip(3), { explain: true });
  moments.forEach((moment, k) => {
    moment.results.forEach((result, i) => {
      const [live] = result.explanation!;
      const meant = results[i]!.explanation![k]!;
      expect([live!.start, live!.end]).toEqual([moment.start, moment.end]);
      for (const sense of ['picture', 'sound'] as const) expectSameMaps(live!, meant, sense);
    });
  });
}

function expectSameMaps(live: ExplainedSecond, meant: ExplainedSecond, sense: 'picture' | 'sound'): void {
  const [one, other] = [live[sense]!.map!, meant[sense]!.map!];
  const worst = one.data.reduce((most, share, i) => Math.max(most, Math.abs(share - other.data[i]!)), 0);
  expect(worst).toBeLessThan(1e-5);
}
