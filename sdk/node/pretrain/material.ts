/**
 * Pictures and sounds of folders: which files there are, and how one is opened when it is drawn. Nothing is read before; what was opened lately is kept in a bounded room,
 * and sounds lie decoded in a folder, so that a few seconds of them can be read.
 */
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { sha256Integrity } from '../../contract/integrity.ts';
import { MettleError } from '../../errors.ts';
import type { Dice } from '../../toybox/dice.ts';
import { fractals, shapeHeaps, toyboxPictures } from '../../train/pretrain/made-pictures.ts';
import { tonesAndNoise, toyboxSounds } from '../../train/pretrain/made-sounds.ts';
import type { Material } from '../../train/pretrain/maker.ts';
import type { PictureSource } from '../../train/pretrain/pictures.ts';
import type { SoundSource } from '../../train/pretrain/sounds.ts';
import { openFolder } from '../data/folder.ts';
import { filmTypes, pictureTypes, soundTypes } from './files.ts';
import { PictureShelf } from './picture-shelf.ts';
import { SoundShelf } from './sound-shelf.ts';

/** A folder, and how often it is drawn from beside others. */
export type MaterialFolder = { folder: string; share: number };

/** Plain data, so that threads can open it. */
export type MaterialPlan = {
  modality: 'visual' | 'audio';
  groups: { share: number; paths: string[] }[];
  /** Share of what is made up, of all that is drawn, 0 to 1. */
  made: number;
  seed: number;
  /** For sounds: their rate in Hz, and where they are kept once they are decoded. */
  sampleRate: number;
  cache: string;
};

/**
 * All files of a sense below the folders, in a fixed order, but for those whose path (with `/`) `exclude` fits. Throws `not-found` for a folder that is none or
 * where nothing is found.
 */
export async function listMaterial(
  folders: readonly MaterialFolder[],
  modality: 'visual' | 'audio',
  exclude: RegExp | null,
): Promise<{ groups: MaterialPlan['groups']; files: number; digest: string }> {
  const types = modality === 'visual' ? [...pictureTypes, ...filmTypes] : [...soundTypes, ...filmTypes];
  const facts: string[] = [];
  const groups: MaterialPlan['groups'] = [];
  for (const { folder, share } of folders) {
    await openFolder(folder);
    const paths: string[] = [];
    for (const entry of (await readdir(folder, { recursive: true })).sort()) {
      const path = join(folder, entry);
      if (!types.includes(extname(path).toLowerCase()) || exclude?.test(path.replaceAll('\\', '/'))) continue;
      const file = await stat(path);
      if (!file.isFile()) continue;
      paths.push(path);
      facts.push(`${share} ${relative(folder, path)} ${file.size}`);
    }
    if (paths.length > 0) groups.push({ share, paths });
  }
  if (facts.length === 0) {
    const places = folders.map(({ folder }) => folder).join(', ');
    throw new MettleError('not-found', `There is nothing to ${modality === 'visual' ? 'see' : 'hear'} in ${places}.`, {
      hint: `Files that count end in ${types.join(', ')}.`,
    });
  }
  const digest = await sha256Integrity(new TextEncoder().encode(facts.join('\n')));
  return { groups, files: facts.length, digest };
}

/** Seed of the toybox scenes that are learned from, apart from those of data sets. */
const toyboxSeed = 1_000_003;
/** Made pictures and soundtracks of each kind. */
const [scenes, drawings, soundtracks] = [1000, 300, 150];

/** Opens nothing yet; `onProblem` is told once of each file that was drawn and could not be read. In its place the next one of its group is drawn. */
export function openMaterial(plan: MaterialPlan, onProblem: (problem: string) => void): Material {
  const { groups, made, seed, sampleRate } = plan;
  const all = groups.reduce((sum, { share }) => sum + share, 0);
  const shareOf = (share: number): number => (share / all) * (1 - made);
  const readable = new Readable(onProblem);
  if (plan.modality === 'visual') {
    const shelf = new PictureShelf();
    const found = groups.map(({ share, paths }): PictureSource => {
      const draw = (dice: Dice) => readable.draw(paths, dice, async (path) => dice.pick(await shelf.open(path)));
      return { share: shareOf(share), draw };
    });
    const pictures: PictureSource[] = [
      ...found,
      { ...toyboxPictures(toyboxSeed, scenes), share: made * 0.8 },
      { ...fractals(seed, drawings), share: made * 0.1 },
      { ...shapeHeaps(seed, drawings), share: made * 0.1 },
    ];
    return { pictures: pictures.filter(({ share }) => share! > 0) };
  }
  const shelf = new SoundShelf(plan.cache, sampleRate);
  const found = groups.map(({ share, paths }): SoundSource => {
    return { share: shareOf(share), draw: (dice) => readable.draw(paths, dice, (path) => shelf.stretch(path, dice)) };
  });
  const sounds: SoundSource[] = [
    ...found,
    { ...toyboxSounds(toyboxSeed, soundtracks, sampleRate), share: made * 0.8 },
    { ...tonesAndNoise(sampleRate), share: made * 0.2 },
  ];
  return { sounds: sounds.filter(({ share }) => share! > 0) };
}

/** Draws files and passes over those that cannot be read. */
class Readable {
  readonly #onProblem: (problem: string) => void;
  readonly #told = new Set<string>();

  constructor(onProblem: (problem: string) => void) {
    this.#onProblem = onProblem;
  }

  /** Throws the problem of the last file tried where none of a row of them can be read. */
  async draw<T>(paths: readonly string[], dice: Dice, read: (path: string) => Promise<T>): Promise<T> {
    const first = dice.whole(0, paths.length - 1);
    const most = Math.min(paths.length, 20);
    for (let further = 0; ; further++) {
      const path = paths[(first + further) % paths.length]!;
      try {
        return await read(path);
      } catch (error) {
        if (!(error instanceof MettleError) || error.code === 'missing-package') throw error;
        if (!this.#told.has(path)) this.#onProblem(`${path}: ${error.message}`);
        this.#told.add(path);
        if (further + 1 === most) throw error;
      }
    }
  }
}
