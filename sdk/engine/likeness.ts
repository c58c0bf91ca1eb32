/**
 * Whether a backbone that is not the one an adapter was made for gives nearly the same: taps for made-up inputs, against those that the adapter brings along. The inputs
 * and the file are those of a canary (`canary.ts`), with every tap that the adapter reads and fewer numbers of each. It runs no graphs itself.
 */
import type { AdapterManifest, Tap } from '../contract/manifest.ts';
import type { ModelPackage } from '../contract/model.ts';
import { type Modality, modalities } from '../contract/pair.ts';
import { tapShape } from '../contract/taps.ts';
import { MettleError } from '../errors.ts';
import { canaryInput, readCanary, thinned, writeCanary } from './canary.ts';

/** Kept of one tap at most: an adapter may read dozens. */
const mostValues = 256;

/** Where taps come from: all of one sense, for an input of these numbers. */
export type ReadTaps = (
  modality: Modality,
  feed: (input: string, shape: readonly number[]) => Float32Array<ArrayBuffer>,
  taps: readonly Tap[],
) => Promise<Record<string, Float32Array>>;

/** The file, from whole taps by sense. */
export const writeLikeness = (taps: Record<string, Record<string, Float32Array>>): Uint8Array<ArrayBuffer> =>
  writeCanary(taps, mostValues);

/**
 * The largest distance of a tap from what the adapter brings along, as its tolerance counts it. Throws `incompatible` where one is further off than that, or
 * `invalid-file` for a file that is none.
 */
export async function checkLikeness(
  { manifest, files }: ModelPackage<AdapterManifest>,
  backbone: string,
  readTaps: ReadTaps,
): Promise<number> {
  const { id, base } = manifest;
  const { taps, inputs, file, tolerance } = base.likeness!;
  const senses = modalities.filter((modality) => taps[modality].length > 0);
  const sizes = senses.map((modality): [string, Record<string, number>] => [
    modality,
    Object.fromEntries(taps[modality].map((tap) => [tap.name, tap.tokens * tap.width])),
  ]);
  const expected = readCanary(files[file]!, Object.fromEntries(sizes), `${file} of adapter "${id}"`, mostValues);
  let worst = 0;
  for (const modality of senses) {
    const { input } = inputs[modality]!;
    const actual = await readTaps(modality, (_, shape) => canaryInput(input, shape), taps[modality]);
    for (const [name, numbers] of Object.entries(expected[modality]!)) {
      const error = distance(thinned(actual[name]!, mostValues), numbers);
      worst = Math.max(worst, error);
      if (error <= tolerance) continue;
      const share = (x: number): string => (Number.isFinite(x) ? `${Number((100 * x).toPrecision(2))} %` : 'all');
      throw new MettleError(
        'incompatible',
        `Adapter "${id}" was made for other weights of backbone "${backbone}": tap "${name}" differs by ${share(error)}, where ${share(tolerance)} are allowed.`,
        { hint: 'Load the backbone that it was made for, or the same network with its weights rounded less.' },
      );
    }
  }
  return worst;
}

/** Length of the difference over the length of what is expected. Infinity where a number is not finite. */
function distance(actual: Float32Array, expected: Float32Array): number {
  let [difference, length] = [0, 0];
  expected.forEach((x, i) => {
    difference += (x - actual[i]!) ** 2;
    length += x * x;
  });
  if (difference === 0) return 0;
  const share = Math.sqrt(difference / length);
  return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
}

export const tapSizes = (taps: readonly Tap[]): Record<string, number[]> =>
  Object.fromEntries(taps.map((tap) => [tap.name, tapShape(tap)]));
