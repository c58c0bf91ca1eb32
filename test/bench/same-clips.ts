/** Clips on which devices are compared: of the toybox, made of a seed that no adapter learned from, and films of a folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RgbImage } from '../../sdk/index.ts';
import { composeClip, createRenderer, soundtrackOf, TOYBOX_LAYOUTS } from '../../sdk/toybox/index.ts';

const [width, height] = [256, 192];
const sampleRate = 32_000;
const seed = 77_001;

/** Pictures are plain arrays, so that they can go to a page. */
export type PlainClip = {
  frames: RgbImage[];
  frameRate: number;
  audio: { channels: Float32Array[]; sampleRate: number };
};
/** As films or as arrays; made when they are asked for, since a hundred of them are much. */
export type ComparedClip = { name: string; read(): Promise<PlainClip | Uint8Array<ArrayBuffer>> };

/** The layouts by turns, a picture a second. */
export function toyboxClips(count: number): ComparedClip[] {
  return Array.from({ length: count }, (_, index) => {
    const layout = TOYBOX_LAYOUTS[index % TOYBOX_LAYOUTS.length]!;
    return { name: `${layout} ${index}`, read: async () => toyboxClip(composeClip(seed, layout, index)) };
  });
}

function toyboxClip(clip: ReturnType<typeof composeClip>): PlainClip {
  const renderer = createRenderer(clip, width, height);
  const frames = Array.from({ length: Math.ceil(clip.seconds) }, (_, second) => ({
    width,
    height,
    data: Uint8Array.from(renderer.draw(Math.min(second + 0.5, clip.seconds)).rgb),
  }));
  return { frames, frameRate: 1, audio: { channels: [Float32Array.from(soundtrackOf(clip, sampleRate))], sampleRate } };
}

/** The first `count` films of a folder and of those in it, by name. */
export async function folderClips(folder: string, count: number): Promise<ComparedClip[]> {
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => /\.(mp4|webm|mkv|mov)$/i.test(name))
    .sort();
  if (names.length === 0) throw new Error(`There is no film in ${folder}.`);
  return names.slice(0, count).map((name) => ({
    name,
    read: async () => new Uint8Array(await readFile(join(folder, name))),
  }));
}
