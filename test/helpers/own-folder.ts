/** A user's own folder of data, made for a test: small clips of a few seconds, with an `events.csv` and, where wanted, masks. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '../../sdk/node/output/png.ts';
import { type FilmOptions, makeFilm } from './clip-maker.ts';

export type OwnClip = { name: string; split: 'train' | 'val' | 'test'; label: string } & FilmOptions;

const labels = ['bell', 'ball'];

/** Three clips to train on, one to select by, one to test on; two seconds each. */
export const fiveClips: OwnClip[] = [0, 1, 2, 3, 4].map((i) => ({
  name: `clip${i}.mp4`,
  split: i < 3 ? 'train' : i < 4 ? 'val' : 'test',
  label: labels[i % 2]!,
  seed: i,
}));

/** Makes the clips and an `events.csv` that labels the first second of each. */
export async function makeOwnFolder(path: string, clips: readonly OwnClip[] = fiveClips): Promise<string> {
  await mkdir(path, { recursive: true });
  for (const { name, split: _split, label: _label, ...options } of clips) {
    await makeFilm(join(path, name), { seconds: 2, width: 64, height: 48, frameRate: 10, ...options });
  }
  await writeEvents(path, clips);
  return path;
}

export async function writeEvents(path: string, clips: readonly OwnClip[]): Promise<void> {
  const rows = clips.map(({ name, split, label }) => `${name},0,1,${label},audio-visual,${split}`);
  await writeFile(join(path, 'events.csv'), ['file,onset,offset,label,modality,split', ...rows, ''].join('\n'));
}

/** A mask per second of each clip: the left half sounds. Sizes differ from clip to clip, and where `mixed` from second to second. */
export async function addMasks(path: string, clips: readonly OwnClip[] = fiveClips, mixed = false): Promise<void> {
  for (const [i, { name }] of clips.entries()) {
    const folder = join(path, 'masks', name.replace('.mp4', ''));
    await mkdir(folder, { recursive: true });
    for (const second of [0, 1]) {
      const [width, height] = [7 + 30 * i + (mixed ? 8 * second : 0), 5 + 20 * i];
      const data = Uint8Array.from({ length: width * height }, (_, at) => (at % width < width / 2 ? 255 : 0));
      await writeFile(join(folder, `${second}.png`), encodePng({ width, height, data }));
    }
  }
}
