/** Maximal runs: how a value per second becomes events. */

/** Rows `first` up to, not including, `end` hold `value`, and neither neighbour does. */
export type Run<T> = { value: T; first: number; end: number };

/** All maximal runs of equal values, in order; null is no value and belongs to no run. */
export function maximalRuns<T>(values: readonly (T | null)[]): Run<T>[] {
  const runs: Run<T>[] = [];
  let open: Run<T> | null = null;
  values.forEach((value, row) => {
    if (open && value === open.value) {
      open.end = row + 1;
      return;
    }
    open = value === null ? null : { value, first: row, end: row + 1 };
    if (open) runs.push(open);
  });
  return runs;
}
