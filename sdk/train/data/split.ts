/** Splits files into train, val and test where nobody did: by file, so that no clip is in two; the same seed and files always give the same splits. */

import type { Split } from '../../contract/split.ts';
import { seededRandom } from '../../random.ts';

/** Share of the files that goes to val, and again to test. */
const heldOut = 0.1;

/** Val and test get a tenth of the files each, at least one from three files on; with fewer all is train. The order of `files` makes no difference. */
export function splitByFile(files: readonly string[], seed: number): Map<string, Split> {
  const drawn = [...new Set(files)]
    .map((file) => ({ file, rank: seededRandom(`${seed}/${file}`)() }))
    .sort((a, b) => a.rank - b.rank || (a.file < b.file ? -1 : 1));
  const each = drawn.length < 3 ? 0 : Math.max(1, Math.round(heldOut * drawn.length));
  return new Map(
    drawn.map(({ file }, index) => [file, index < each ? 'test' : index < 2 * each ? 'val' : 'train'] as const),
  );
}
