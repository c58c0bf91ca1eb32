/** What `watch` promises, the same in Node and in a page. */
import { expect } from 'vitest';
import type { Mettle, Moment, TaskResult, WatchOptions } from '../../sdk/index.ts';
import { Gate, type ToyStream } from './live-toybox.ts';

/** All moments of a source that never runs ahead of the reader. */
export async function inStep(mettle: Mettle, stream: ToyStream, options: WatchOptions = {}): Promise<Moment[]> {
  const { hop = 0.5 } = options;
  const gate = new Gate();
  gate.release(1.25);
  const all: Moment[] = [];
  for await (const moment of mettle.watch(stream.feeds(gate), options)) {
    all.push(moment);
    gate.release(moment.heard + hop + 0.25);
  }
  return all;
}

const answers = (result: TaskResult): number[] => {
  if (result.task === 'segment') return [...result.masks.at(-1)!.data];
  const last = result.seconds.at(-1)!;
  return 'probabilities' in last ? last.probabilities : [...last.audio, ...last.visual];
};

/** With a hop of a second, each moment says of its second what an analysis of the clip up to there says of its last. */
export async function checkAgainstPrefixes(
  mettle: Mettle,
  stream: ToyStream,
  seconds: readonly number[],
): Promise<void> {
  const moments = await inStep(mettle, stream, { hop: 1, context: 60 });
  expect(moments.map(({ index, start, end, last }) => [index, start, end, last])).toEqual([
    ...Array.from({ length: stream.seconds }, (_, k) => [k, k, k + 1, false]),
    [stream.seconds, stream.seconds, stream.seconds, true],
  ]);
  for (const second of seconds) {
    const { results } = await mettle.analyze(stream.clip(second + 1));
    const live = moments[second]!.results;
    expect(live.map(({ adapter }) => adapter)).toEqual(results.map(({ adapter }) => adapter));
    for (const [index, result] of results.entries()) {
      const [said, meant] = [answers(live[index]!), answers(result)];
      const far = said.map((value, i) => Math.abs(value - meant[i]!));
      expect(Math.max(...far)).toBeLessThan(result.task === 'segment' ? 2 : 1e-4);
    }
  }
}
