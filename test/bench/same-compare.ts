/** Whether two devices said the same of a clip: event by event, and how far probabilities and masks lie apart. */
import type { TaskResult } from '../../sdk/index.ts';

/** One adapter's answers on two devices. */
export type Difference = {
  adapter: string;
  task: TaskResult['task'];
  /** Events that only the reference, and that only the other device names: `bell 2-5 s`, and of parsing in which sense. */
  lost: string[];
  added: string[];
  /** The largest difference of a probability. */
  probability: number;
  /** Pixels of masks on the other side of one half, and all pixels. */
  pixels: { differ: number; all: number };
  /** Whether all of it is the same, to the last bit. */
  exact: boolean;
};

/** `null` where one has no such result. Results as they come out of JSON will do. */
export function compareResults(reference: readonly TaskResult[], other: readonly TaskResult[]): Difference[] {
  if (reference.length !== other.length) throw new Error(`${reference.length} results against ${other.length}.`);
  return reference.map((one, i) => compareResult(one, other[i]!));
}

function compareResult(one: TaskResult, two: TaskResult): Difference {
  if (one.adapter !== two.adapter) throw new Error(`${one.adapter} against ${two.adapter}.`);
  const [events, others] = [eventsOf(one), eventsOf(two)];
  return {
    adapter: one.adapter,
    task: one.task,
    lost: events.filter((event) => !others.includes(event)),
    added: others.filter((event) => !events.includes(event)),
    probability: largestDifference(probabilitiesOf(one), probabilitiesOf(two)),
    pixels: pixelsOf(one, two),
    exact: textOf(one) === textOf(two),
  };
}

/** All that a result says, as text: equal texts are equal to the last bit. */
export const textOf = (result: unknown): string =>
  JSON.stringify(result, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value));

function eventsOf(result: TaskResult): string[] {
  if (result.task === 'segment') return [];
  return result.events.map((event) => {
    const sense = 'modality' in event ? ` ${event.modality}` : '';
    return `${event.label}${sense} ${event.start}-${event.end} s`;
  });
}

function probabilitiesOf(result: TaskResult): number[] {
  if (result.task === 'localize') return result.seconds.flatMap(({ probabilities }) => probabilities);
  if (result.task === 'parse') return result.seconds.flatMap(({ audio, visual }) => [...audio, ...visual]);
  return result.masks.flatMap(({ data }) => Array.from(data, (value) => value / 255));
}

function largestDifference(one: readonly number[], two: readonly number[]): number {
  if (one.length !== two.length) return 1;
  return one.reduce((largest, value, i) => Math.max(largest, Math.abs(value - two[i]!)), 0);
}

function pixelsOf(one: TaskResult, two: TaskResult): Difference['pixels'] {
  const pixels = { differ: 0, all: 0 };
  if (one.task !== 'segment' || two.task !== 'segment') return pixels;
  one.masks.forEach(({ data }, second) => {
    const other = two.masks[second]!.data;
    data.forEach((value, i) => {
      if (value > 127 !== other[i]! > 127) pixels.differ++;
    });
    pixels.all += data.length;
  });
  return pixels;
}

/** What a device said of all clips, one line per adapter. */
export type Summary = {
  adapter: string;
  task: TaskResult['task'];
  clips: number;
  /** Clips with the same events; of masks with no pixel on the other side of one half. */
  same: number;
  /** Clips with the same answer to the last bit. */
  exact: number;
  probability: number;
  pixels: { differ: number; all: number };
  /** Of clips whose events differ. */
  differences: { clip: string; lost: string[]; added: string[] }[];
};

export function summarise(clips: readonly { name: string; found: readonly Difference[] }[]): Summary[] {
  const summaries = new Map<string, Summary>();
  for (const { name, found } of clips) {
    for (const { adapter, task, lost, added, probability, pixels, exact } of found) {
      const empty = { adapter, task, clips: 0, same: 0, exact: 0, probability: 0, pixels: { differ: 0, all: 0 } };
      const sum = summaries.get(adapter) ?? { ...empty, differences: [] };
      const differs = lost.length + added.length > 0;
      sum.clips++;
      sum.same += Number(!differs && pixels.differ === 0);
      sum.exact += Number(exact);
      sum.probability = Math.max(sum.probability, probability);
      sum.pixels = { differ: sum.pixels.differ + pixels.differ, all: sum.pixels.all + pixels.all };
      if (differs) sum.differences.push({ clip: name, lost, added });
      summaries.set(adapter, sum);
    }
  }
  return [...summaries.values()];
}
