/** Masks as run lengths, the form of COCO's annotations (its API's `maskApi.c` is the reference of the string's code). */
import { checkArgument, number, record } from '../contract/options.ts';
import type { Mask } from '../tasks/types.ts';

/** A mask in COCO's compressed form. */
export type MaskRuns = {
  /** Height and width. */
  size: [number, number];
  /** Lengths of runs by columns, from the top left: zeros first, then ones, by turns; in COCO's code of printable characters. */
  counts: string;
};

/** `mask` where a pixel's probability of sounding is at least `threshold`, 0 to 1, by default one half. Throws `invalid-argument`. */
export function toMaskRuns(mask: Mask, threshold = 0.5): MaskRuns {
  checkArgument(mask, { ...record, expected: 'a mask of segment()' }, 'mask');
  checkArgument(threshold, number(0, 1), 'threshold');
  const { width, height, data } = mask;
  const runs: number[] = [0];
  let on = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const is = data[y * width + x]! >= threshold * 255;
      if (is !== on) runs.push(0);
      on = is;
      runs[runs.length - 1]! += 1;
    }
  }
  return { size: [height, width], counts: coded(runs) };
}

/** Each number less the one two before it (from the fourth on), in groups of five bits, the lowest first; the sixth says that more follow. */
function coded(runs: readonly number[]): string {
  let text = '';
  runs.forEach((run, index) => {
    let rest = index > 2 ? run - runs[index - 2]! : run;
    for (let more = true; more; ) {
      const bits = rest & 31;
      rest >>= 5;
      more = bits & 16 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode((more ? bits | 32 : bits) + 48);
    }
  });
  return text;
}
