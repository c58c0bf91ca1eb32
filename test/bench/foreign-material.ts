/**
 * Clips of worlds that an adapter was not made for. Real: films, and photographs with recordings laid over them, of a folder like ../shared/data. Toybox: clips made
 * here. Noise: made here too, so that there is something foreign everywhere. Nothing of them is kept.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listPhotos } from '../../adapters/everyday/photos.ts';
import { listRecordings } from '../../adapters/everyday/recordings.ts';
import { other, stockOf } from '../../adapters/everyday/splits.ts';
import { makeClip, shippedKinds } from '../../examples/clips.ts';
import type { Clip } from '../../sdk/contract/clip.ts';
import { openClip } from '../../sdk/media/clip.ts';
import { openItem } from '../../sdk/node/data/open-item.ts';
import { seededRandom } from '../../sdk/random.ts';

/** A clip by name, opened when it is its turn; `kind` is what it is counted under. */
export type Foreign = { name: string; kind: string; open(): Promise<Clip> };

const photoFolders = ['photos/caltech101', 'photos/grocery', 'photos/clothing'];
const soundFolders = {
  music: ['sounds/librosa', 'sounds/max'],
  sounds: ['sounds/mod-sounds', 'sounds/blanket', 'sounds/esc10'],
};
const secondsEach = 3;

/** Films, and `count` photographs with sounds. Empty where the folder has none. */
export async function realMaterial(data: string, count: number): Promise<Foreign[]> {
  const films = (await filesIn(join(data, 'clips'), /\.(mp4|webm|mkv)$/)).map(
    (path): Foreign => ({ name: path, kind: 'films', open: () => openClip(path) }),
  );
  const photos = (await Promise.all(photoFolders.map((folder) => filesIn(join(data, folder), /\.jpe?g$/i)))).flat();
  const random = seededRandom('foreign');
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const scenes: Foreign[] = [];
  for (const [kind, folders] of Object.entries(soundFolders)) {
    const sounds = (
      await Promise.all(folders.map((folder) => filesIn(join(data, folder), /\.(ogg|flac|wav)$/i)))
    ).flat();
    for (let i = 0; i < count / 2 && sounds.length > 0 && photos.length > 0; i++) {
      const [photo, audio] = [pick(photos), pick(sounds)];
      scenes.push({ name: audio, kind: `photographs with ${kind}`, open: () => sceneOf(photo, audio) });
    }
  }
  return [...films, ...scenes];
}

/**
 * For the everyday adapters: `count` photographs of things that they do not know with sounds that they do not know, all of which were held back from their training, half of the sounds
 * music on other instruments. `made` is the folder of melodies that the composer left. Empty where there is neither photograph nor sound.
 */
export async function strangeMaterial(data: string, made: string, count: number): Promise<Foreign[]> {
  const [photos, recordings] = await Promise.all([
    listPhotos(join(data, 'photos/caltech101')).catch(() => []),
    listRecordings(join(data, 'sounds'), made).catch(() => []),
  ]);
  if (photos.length === 0 || recordings.length === 0) return [];
  const { test } = stockOf(recordings, photos, 1);
  const sounds = test.recordings.get(other)!.flat();
  const isMusic = ({ name }: { name: string }): boolean => name.startsWith('made/');
  const random = seededRandom('strange');
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const kinds = { music: sounds.filter(isMusic), sounds: sounds.filter((sound) => !isMusic(sound)) };
  return Object.entries(kinds).flatMap(([kind, list]) =>
    Array.from({ length: list.length > 0 ? Math.ceil(count / 2) : 0 }, (): Foreign => {
      const [photo, audio] = [pick(test.photos.get(other)!).path, pick(list).path];
      return { name: audio, kind: `unknown things with unknown ${kind}`, open: () => sceneOf(photo, audio) };
    }),
  );
}

/** Clips of every kind that the demo shows, `count` of each. */
export async function toyboxMaterial(count: number): Promise<Foreign[]> {
  const kinds = await shippedKinds();
  return kinds.flatMap((kind) =>
    Array.from(
      { length: count },
      (_, ordinal): Foreign => ({
        name: `${kind.adapter} ${ordinal}`,
        kind: 'toybox',
        open: async () => openClip(new Blob([(await makeClip(kind, ordinal)).film as Uint8Array<ArrayBuffer>])),
      }),
    ),
  );
}

/** Pixels and samples of noise, each second another. */
export function noiseMaterial(count: number): Foreign[] {
  return Array.from(
    { length: count },
    (_, ordinal): Foreign => ({
      name: `noise ${ordinal}`,
      kind: 'noise',
      open: async () => {
        const random = seededRandom(`noise ${ordinal}`);
        const frames = Array.from({ length: secondsEach }, () => ({
          width: 64,
          height: 48,
          data: Uint8Array.from({ length: 64 * 48 * 3 }, () => 256 * random()),
        }));
        const pcm = Float32Array.from({ length: secondsEach * 16000 }, () => 0.2 * (random() - 0.5));
        return await openClip({ frames, frameRate: 1, audio: { channels: [pcm], sampleRate: 16000 } });
      },
    }),
  );
}

async function sceneOf(photo: string, audio: string): Promise<Clip> {
  const folder = {
    pathOf: (path: string) => path,
    readBytes: async (path: string) => new Uint8Array(await readFile(path)),
  };
  const paths = Array.from({ length: secondsEach }, () => photo);
  const item = { source: { kind: 'frames' as const, paths, audio } };
  return await openItem(folder as never, item as never);
}

async function filesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  return entries
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}
