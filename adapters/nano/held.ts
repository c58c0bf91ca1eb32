/**
 * Which photographs and recordings nano must never learn from, as it is judged by them: a fifth of each class of Caltech-101, chosen by a fixed seed over the files' names,
 * and fold 3 of ESC-10. Photographs of `faces_easy` are pieces of those in `faces`, so neither is learned from nor judged by.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diceOf } from '../../sdk/toybox/dice.ts';

/** Folders of Caltech-101 that are no class of their own. */
export const leftOutFolders: readonly string[] = ['background_google', 'faces_easy'];

/** Things that are heard as well as seen. */
export const soundingClasses: readonly string[] = [
  ...['accordion', 'airplanes', 'car_side', 'cellphone', 'dalmatian', 'dolphin', 'electric_guitar', 'elephant'],
  ...['euphonium', 'faces', 'ferry', 'grand_piano', 'helicopter', 'leopards', 'mandolin', 'motorbikes'],
  ...['pigeon', 'rooster', 'saxophone', 'watch'],
];

export type ClassPhotos = { label: string /** Paths. */; learned: string[]; held: string[] };

/** Of each class no fewer than this many are held back, and no more are needed. */
const [fewest, most] = [8, 20];

/** The classes in the order of their names; `folder` is the one of Caltech-101. */
export async function partPhotos(folder: string): Promise<ClassPhotos[]> {
  const classes: ClassPhotos[] = [];
  for (const label of (await readdir(folder)).sort()) {
    const names = (await readdir(join(folder, label))).filter((name) => /\.jpe?g$/i.test(name)).sort();
    if (leftOutFolders.includes(label) || names.length === 0) continue;
    const held = Math.min(most, Math.max(fewest, Math.round(names.length / 5)));
    const mixed = diceOf(`nano held ${label}`).shuffle(names);
    const paths = (some: string[]): string[] => some.sort().map((name) => join(folder, label, name));
    classes.push({ label, held: paths(mixed.slice(0, held)), learned: paths(mixed.slice(held)) });
  }
  return classes;
}

/** A recording of ESC-10 that must not be learned from, by its path. */
export const isHeldRecording = (path: string): boolean => /(^|[\\/])3-[^\\/]*\.ogg$/.test(path);
