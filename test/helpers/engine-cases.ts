/** What every engine must do, on whatever device and behind whatever worker: one list of checks for Node and the browser. */
import { expect } from 'vitest';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { ModelPackage } from '../../sdk/contract/model.ts';
import type { Engine, EngineProgress } from '../../sdk/engine/types.ts';
import { largestError, referenceSegment, referenceWindow, tinySegment, windowSize } from './tiny-models.ts';

/** float32 against float64 over a dozen products of numbers around 1. */
const tolerance = 1e-5;

/** Pushes 7 seconds through both adapters of a loaded engine and compares every number with the reference in plain TypeScript. */
export async function expectReferenceNumbers(engine: Engine): Promise<void> {
  const seconds = Array.from({ length: 7 }, (_, index) => tinySegment(index));
  seconds[2] = { frame: null, pcm: seconds[2]!.pcm };
  seconds[4] = { frame: seconds[4]!.frame, pcm: null };
  const references = seconds.map(referenceSegment);

  const run = await engine.begin(['mix', 'sound']);
  for (const [index, second] of seconds.entries()) {
    const { mix, sound } = await engine.push(run, structuredClone(second));
    expect(Object.keys(mix!)).toEqual(['attention']);
    expect(mix!.attention!.shape).toEqual([1, 4, 2]);
    expect(largestError(mix!.attention!, references[index]!.attention)).toBeLessThan(tolerance);
    expect(largestError(sound!.level!, references[index]!.level)).toBeLessThan(tolerance);
  }
  const outputs = await engine.finish(run);
  expect(outputs.sound).toEqual({});
  expect(outputs.mix!.scores!.shape).toEqual([7, 8]);
  const expected = averageOfWindows(references.map((reference) => reference.tokens));
  expect(largestError(outputs.mix!.scores!, expected)).toBeLessThan(tolerance);
}

/** A clip of two seconds: one window, padded and masked. */
export async function expectShortClip(engine: Engine): Promise<void> {
  const run = await engine.begin(['mix']);
  const seconds = [tinySegment(0), tinySegment(1)];
  for (const second of seconds) await engine.push(run, structuredClone(second));
  const { mix } = await engine.finish(run);
  const reference = referenceWindow(seconds.map((second) => referenceSegment(second).tokens))
    .slice(0, 2)
    .flat();
  expect(mix!.scores!.shape).toEqual([2, 8]);
  expect(largestError(mix!.scores!, reference)).toBeLessThan(tolerance);
}

/** An engine that was loaded with `mix` alone takes `sound` while a run is under way, and gives it up again. */
export async function expectAddAndRemove(engine: Engine, sound: () => ModelPackage<AdapterManifest>): Promise<void> {
  const early = await engine.begin(['mix']);
  const [first, second] = [tinySegment(0), tinySegment(1)];
  await engine.push(early, structuredClone(first));
  const steps: EngineProgress[] = [];
  await engine.add('sound#1', sound(), (step) => steps.push(step));
  // One graph of its own; both of the backbone run again.
  expect(steps.map(({ phase, done, total }) => `${phase} ${done}/${total}`)).toEqual([
    'load 1/1',
    'warmup 1/3',
    'warmup 2/3',
    'warmup 3/3',
  ]);
  await engine.push(early, structuredClone(second));
  const late = await engine.begin(['sound#1', 'mix']);
  const outputs = await engine.push(late, structuredClone(first));
  expect(largestError(outputs['sound#1']!.level!, referenceSegment(first).level)).toBeLessThan(tolerance);
  const reference = referenceWindow([first, second].map((segment) => referenceSegment(segment).tokens));
  const { mix } = await engine.finish(early);
  expect(largestError(mix!.scores!, reference.slice(0, 2).flat())).toBeLessThan(tolerance);
  await expect(engine.add('mix', sound())).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(engine.add('empty', { ...sound(), files: {} })).rejects.toMatchObject({ code: 'device' });
  await engine.remove('sound#1');
  await engine.remove('sound#1');
  await expect(engine.begin(['sound#1'])).rejects.toMatchObject({ code: 'not-found' });
  await expect(engine.push(late, structuredClone(second))).rejects.toMatchObject({ code: 'not-found' });
  await expectShortClip(engine);
}

/** Seven seconds in windows of four: they start at 0, 2 and 3, and count 1, 2, 2, 1 in the mean. */
function averageOfWindows(tokens: number[][]): number[] {
  const weights = [1, 2, 2, 1];
  const sums = tokens.map(() => new Array<number>(8).fill(0));
  const totals = tokens.map(() => 0);
  for (const start of [0, 2, 3]) {
    referenceWindow(tokens.slice(start, start + windowSize)).forEach((row, second) => {
      totals[start + second]! += weights[second]!;
      row.forEach((value, i) => {
        sums[start + second]![i]! += value * weights[second]!;
      });
    });
  }
  return sums.flatMap((row, second) => row.map((value) => value / totals[second]!));
}
