/** Explanations made by hand. */
import type { AttentionMap, ExplainedSecond, ExplainedSense } from '../../sdk/index.ts';

/** All attention at one place of `rows` x `columns`. */
export function spot(rows: number, columns: number, place: number): AttentionMap {
  const data = new Float32Array(rows * columns);
  data[place] = 1;
  return { rows, columns, data };
}

/** Spread evenly. */
export const even = (rows: number, columns: number): AttentionMap => ({
  rows,
  columns,
  data: new Float32Array(rows * columns).fill(1 / (rows * columns)),
});

/** Of one layer, `visual.top` or `audio.top`. */
const senseOf = (tap: string, map: AttentionMap): ExplainedSense => ({ layers: [{ tap, weight: 1, map }], map });

export function explainedSecond(
  start: number,
  picture: AttentionMap | null,
  sound: AttentionMap | null,
  spectrum: AttentionMap = even(4, 2),
): ExplainedSecond {
  return {
    start,
    end: start + 1,
    picture: picture && senseOf('visual.top', picture),
    sound: sound && { ...senseOf('audio.top', sound), spectrum },
  };
}
