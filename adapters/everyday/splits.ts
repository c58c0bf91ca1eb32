/**
 * Which recordings and photographs train, validate and test. Recordings are parted by series, so that all takes of one recording, and all by one hand of one thing, are on one
 * side; fold 3 of ESC-10 tests, the other two train and validate. Of photographs those that nano is judged by test. Nothing stands on two sides.
 */
import type { Split } from '../../sdk/contract/split.ts';
import { MettleError } from '../../sdk/errors.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import type { Photo } from './photos.ts';
import type { Recording } from './recordings.ts';
import {
  ambiguousPhotos,
  ambiguousRecordings,
  heard,
  otherInstruments,
  otherRecordings,
  seen,
  things,
  unclearRecordings,
} from './things.ts';

/** Recordings by series, and photographs, of each label; those of none of the things under `other`. */
export type Stock = {
  recordings: ReadonlyMap<string, readonly (readonly Recording[])[]>;
  photos: ReadonlyMap<string, readonly Photo[]>;
};
export type Stocks = Record<Split, Stock>;

/** In a stock, what is none of the things. */
export const other = 'none of these';

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

/** Throws `not-found` where a split lacks a thing. */
export function stockOf(recordings: readonly Recording[], photos: readonly Photo[], seed: number): Stocks {
  const sounds: Record<Split, Map<string, Recording[][]>> = { train: new Map(), val: new Map(), test: new Map() };
  for (const label of [...heard, other]) {
    const parts = partSeries(
      recordings.filter((recording) => labelOfRecording(recording) === label),
      `${seed}/${label}`,
    );
    for (const split of ['train', 'val', 'test'] as const) sounds[split].set(label, parts[split]);
  }
  const pictures: Record<Split, Map<string, Photo[]>> = { train: new Map(), val: new Map(), test: new Map() };
  for (const label of [...seen, other]) {
    for (const split of ['train', 'val', 'test'] as const) {
      pictures[split].set(
        label,
        photos.filter((photo) => photo.split === split && labelOfPhoto(photo) === label),
      );
    }
  }
  for (const split of ['train', 'val', 'test'] as const) {
    for (const [kind, map] of [
      ['sound', sounds],
      ['photograph', pictures],
    ] as const) {
      for (const [label, list] of map[split]) if (list.length === 0) throw missing(`${kind} of ${label}`, split);
    }
  }
  const stock = (split: Split): Stock => ({ recordings: sounds[split], photos: pictures[split] });
  return { train: stock('train'), val: stock('val'), test: stock('test') };
}

const matches = (name: string, patterns: readonly string[] = []): boolean => {
  const plain = name.replace(/\.[^./]+$/, '');
  return patterns.some((text) => {
    const [start = '', end] = text.split('*');
    return end === undefined ? plain === text : plain.startsWith(start) && plain.endsWith(end);
  });
};

/** `made/BANK-PROGRAM-N.wav` or `made/drums-N.wav`. */
const madeOf = (name: string): string | null => /^made\/(drums|\d+-\d+)-\d+\.wav$/.exec(name)?.[1] ?? null;

/** Null for what must stand for nothing. */
export function labelOfRecording({ name }: Pick<Recording, 'name'>): string | null {
  const made = madeOf(name);
  const has = (instruments: readonly (readonly number[])[]): boolean =>
    instruments.some((one) => one.join('-') === made);
  const thing = things.find(
    ({ recordings, instruments }) =>
      matches(name, recordings) || (made && (instruments === 'drums' ? made === 'drums' : has(instruments ?? []))),
  );
  if (thing) return thing.label;
  if (made) return has(otherInstruments) ? other : null;
  if (matches(name, ambiguousRecordings) || matches(name, unclearRecordings)) return null;
  return matches(name, otherRecordings) ? other : null;
}

/** Null for what must stand for nothing. */
export function labelOfPhoto({ folder }: Pick<Photo, 'folder'>): string | null {
  const thing = things.find(({ photos }) => photos?.includes(folder));
  return thing?.label ?? (ambiguousPhotos.includes(folder) ? null : other);
}

function partSeries(recordings: readonly Recording[], seed: string): Record<Split, Recording[][]> {
  const groups = new Map<string, Recording[]>();
  for (const recording of recordings)
    groups.set(recording.series, [...(groups.get(recording.series) ?? []), recording]);
  const parts: Record<Split, Recording[][]> = { train: [], val: [], test: [] };
  const free: Recording[][] = [];
  for (const group of groups.values()) {
    const { fold } = group[0]!;
    if (fold === 3) parts.test.push(group);
    else if (fold === null || fold < 3) free.push(group);
  }
  const mixed = diceOf(`${seed}/series`).shuffle(free);
  const hasTest = parts.test.length > 0;
  // Series that no fold was given to: a quarter tests.
  const late = mixed.filter(([first]) => first!.fold === null);
  const testing = late.slice(0, hasTest ? Math.floor(late.length / 4) : Math.max(1, Math.round(late.length / 4)));
  parts.test.push(...testing);
  const rest = mixed.filter((group) => !testing.includes(group));
  const validating = Math.max(1, Math.round(rest.length / 8));
  parts.val.push(...rest.slice(0, validating));
  parts.train.push(...rest.slice(validating));
  return parts;
}

const missing = (what: string, split: Split): MettleError =>
  new MettleError('not-found', `There is no ${what} for the ${split} split.`, {
    hint: 'adapters/everyday/README.md says which data and which packages of Debian clips are made of.',
  });
