/** What every row of the benchmark is. */
import type { BenchDevice } from '../backbone-runs.ts';
import type { Outcome } from '../results.ts';

export type RowOptions = {
  /** Few rounds and short films: to see that it runs. */
  quick: boolean;
  /** Of rows that can choose. */
  device: BenchDevice;
  /** For what the row makes; removed afterwards. */
  folder: string;
};

export type Row = {
  /** As `--only` names it. */
  id: string;
  title: string;
  /** How it was measured, a sentence or two of the page. */
  how: string;
  run(options: RowOptions): Promise<Outcome>;
};
