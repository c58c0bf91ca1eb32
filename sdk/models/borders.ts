/**
 * What is heard in each part of a second (ours): a small head over the audio taps whose rows are moments in time, finer than the second that all else is told by. From
 * its evidence `tasks/borders.ts` tells where inside a second an event begins and ends. It reads a frozen backbone as adapters do, and nothing of the adapter.
 */
import type { LogMelFrontEnd, Tap } from '../contract/manifest.ts';
import { add, concat, expand, gelu, layerNorm, pad, reshape, slice, type Value } from '../ops/index.ts';
import { dense } from './layers.ts';
import type { Params } from './params.ts';
import { asTokens, layersOf } from './taps.ts';

/** Parts of a second that a tap must tell apart to be read, and those that the head tells apart at least. */
const [fewestRead, fewestSteps] = [8, 10];
/** Width of the hidden layers. */
const hidden = 48;

/** Which taps a head reads, and how many parts of a second it tells apart. */
export type BorderTaps = { taps: Tap[]; steps: number };

/**
 * The last tap of each size that keeps time and frequency in rows and columns, in fine enough rows. Null where the network folds time away, hears a second repeated or not
 * just one second, or is too coarse: then an adapter for it tells whole seconds.
 */
export function borderTaps(taps: readonly Tap[], input: LogMelFrontEnd | null): BorderTaps | null {
  if (input?.repeat !== 1 || Math.abs((input.frames * input.hop) / input.sampleRate - 1) > 0.05) return null;
  const keepsTime = ({ grid: [rows, columns] }: Tap): boolean => rows * input.mels === columns * input.frames;
  const timely = layersOf(taps).filter((tap) => keepsTime(tap) && tap.grid[0] >= fewestRead);
  const bySize = [...new Map(timely.map((tap) => [tap.grid[0], tap])).values()];
  const fine = bySize.map(({ grid }) => grid[0]).filter((rows) => rows >= fewestSteps);
  if (fine.length === 0) return null;
  const steps = Math.min(...fine);
  const fits = bySize.filter(({ grid: [rows] }) => rows % steps === 0 || steps % rows === 0);
  return { taps: fits, steps };
}

/** Log-odds of each class in each part of N seconds, [N, steps, classes]. `read` gives a tap's value by its name, [N, tokens, width] or a map. */
export function borders(p: Params, { taps, steps }: BorderTaps, read: (name: string) => Value, classes: number): Value {
  const heard = taps.map((tap) => p.in(tap.name, (q) => dense(q, 'in', rowsOf(read(tap.name), tap, steps), hidden)));
  const own = gelu(heard.reduce(add));
  return dense(p, 'out', gelu(dense(p, 'near', withNeighbours(own), hidden)), classes);
}

/** All that a tap says of each part, [N, steps, width]: rows that are finer side by side, coarser ones repeated. */
function rowsOf(tap: Value, { grid: [rows, columns], width }: Tap, steps: number): Value {
  const tokens = layerNorm(asTokens(tap));
  const n = tokens.shape[0]!;
  if (rows >= steps) return reshape(tokens, [n, steps, (rows / steps) * columns * width]);
  const times = steps / rows;
  const repeated = expand(reshape(tokens, [n, rows, 1, columns * width]), [n, rows, times, columns * width]);
  return reshape(repeated, [n, steps, columns * width]);
}

/** Each part with the one before and the one after it, zeros beyond the second: [N, steps, 3 width]. */
function withNeighbours(x: Value): Value {
  const steps = x.shape[1]!;
  const padded = pad(x, [0, 1, 0], [0, 1, 0]);
  return concat(
    [0, 1, 2].map((shift) => slice(padded, 1, shift, shift + steps)),
    2,
  );
}
