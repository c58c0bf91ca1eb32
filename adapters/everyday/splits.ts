/**
 * Which recordings and photographs train, validate and test. Folds 1 and 2 of ESC-10 train, but for a tenth of each class's recordings, which validate; fold 3
 * tests; other folds are not touched. Photographs are parted by file. Nothing stands on two sides.
 */

import { SPLITS, type Split } from '../../sdk/contract/split.ts';
import { MettleError } from '../../sdk/errors.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import type { Take } from './esc10.ts';
import type { Photo } from './pictures.ts';
import { categoryOf } from './pictures.ts';

/** What clips of one split are made of: recordings by class, each with its takes; and photographs. */
export type Stock = { recordings: ReadonlyMap<string, readonly (readonly Take[])[]>; photos: readonly Photo[] };

/** Their licence, Sampling+ 1.0, forbids what an adapter may be used for. */
export const leftOut: readonly string[] = ['009 - Rooster/1-40730-A.ogg', '009 - Rooster/2-96460-A.ogg'];

/** Of every ten clips seven train, one validates and two test, and the first three are one of each. */
const pattern: readonly Split[] = [
  'train',
  'val',
  'test',
  'train',
  'train',
  'train',
  'test',
  'train',
  'train',
  'train',
];

/** The split of the clip with this number, and its number among the clips of that split. */
export function splitOfClip(index: number): { split: Split; ordinal: number } {
  const [tens, rest] = [Math.floor(index / pattern.length), index % pattern.length];
  const split = pattern[rest]!;
  const inTen = pattern.filter((name) => name === split).length;
  return { split, ordinal: tens * inTen + pattern.slice(0, rest).filter((name) => name === split).length };
}

/** Throws `not-found` where a class or all photographs are missing in a split. */
export function stockOf(classes: readonly string[], takes: readonly Take[], photos: readonly Photo[], seed: number) {
  const sounds: Record<Split, Map<string, Take[][]>> = { train: new Map(), val: new Map(), test: new Map() };
  for (const label of classes) {
    const mine = takes.filter((take) => take.label === label && !leftOut.includes(take.name));
    const early = groupByRecording(mine.filter(({ fold }) => fold === 1 || fold === 2));
    const mixed = diceOf(`${seed}/recordings/${label}`).shuffle(early);
    const held = Math.max(1, Math.round(mixed.length / 10));
    sounds.val.set(label, mixed.slice(0, held));
    sounds.train.set(label, mixed.slice(held));
    sounds.test.set(label, groupByRecording(mine.filter(({ fold }) => fold === 3)));
    for (const split of SPLITS) if (sounds[split].get(label)!.length === 0) throw missing(`sound of ${label}`, split);
  }
  const pictures = partPhotos(photos, seed);
  for (const split of SPLITS) if (pictures[split].length === 0) throw missing('photograph', split);
  const stock = (split: Split): Stock => ({ recordings: sounds[split], photos: pictures[split] });
  return { train: stock('train'), val: stock('val'), test: stock('test') } satisfies Record<Split, Stock>;
}

function groupByRecording(takes: readonly Take[]): Take[][] {
  const groups = new Map<string, Take[]>();
  for (const take of takes) groups.set(take.recording, [...(groups.get(take.recording) ?? []), take]);
  return [...groups.values()];
}

/** Seven of ten train, one validates, two test; those that show what can be heard are parted by themselves, so that each split has some. */
function partPhotos(photos: readonly Photo[], seed: number): Record<Split, Photo[]> {
  const parts: Record<Split, Photo[]> = { train: [], val: [], test: [] };
  const wanted = new Set(Object.values(categoryOf));
  const related = photos.filter(({ shows }) => [...shows.keys()].some((name) => wanted.has(name)));
  const others = photos.filter((photo) => !related.includes(photo));
  for (const [name, group] of Object.entries({ related, others })) {
    diceOf(`${seed}/photos/${name}`)
      .shuffle(group)
      .forEach((photo, i) => parts[splitOfClip(i).split].push(photo));
  }
  return parts;
}

const missing = (what: string, split: Split): MettleError =>
  new MettleError('not-found', `There is no ${what} for the ${split} split.`, {
    hint: 'Clips need folds 1, 2 and 3 of every class of ESC-10, and at least three photographs.',
  });
