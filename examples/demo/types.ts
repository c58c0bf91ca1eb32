/** What the demo knows of a clip after its analysis. */
import type { RgbImage, TaskResult } from '../../sdk/index.ts';
import type { DemoClip } from '../clips.ts';
import type { Comparison } from '../truth.js';

export type Answer = {
  clip: DemoClip;
  result: TaskResult;
  comparison: Comparison;
  /** One per second; where pixels were asked for, with mask and truth drawn on it. */
  frames: RgbImage[];
  /** Milliseconds in the models per second of the clip. */
  segmentMs: number;
};

/** `8 of 10`: seconds that are right. */
export const shareText = ({ right, total }: { right: number; total: number }): string => `${right} of ${total}`;

/** Answers by the adapter that gave them. */
export function byAdapter(answers: readonly Answer[]): Answer[][] {
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) {
    const { adapter } = answer.result;
    groups.set(adapter, [...(groups.get(adapter) ?? []), answer]);
  }
  return [...groups.values()];
}

/** Right seconds and all, over several answers. */
export function totalOf(answers: readonly Answer[]): { right: number; total: number } {
  const sum = (key: 'right' | 'total') => answers.reduce((all, { comparison }) => all + comparison[key], 0);
  return { right: sum('right'), total: sum('total') };
}

/** What makes a second right, and what is counted. */
export const rules = {
  localize: 'seconds named rightly',
  parse: 'seconds whose labels are all right, heard and seen counted apart',
  segment: 'seconds whose mask overlaps the truth by one half or more',
} as const;
