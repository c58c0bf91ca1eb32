/// <reference types="vite/client" />
/**
 * Small films with one wrong byte in what they tell the decoder (`hvcC` and its like, `CodecPrivate` of Matroska), in a page and in Node: a result or a MettleError, soon. With some
 * of these bytes a decoder takes every packet and gives nothing.
 */
import { expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { openClip } from '../../sdk/media/clip.ts';

const films = import.meta.glob<string>('../fixtures/films/*', { query: '?url&inline', import: 'default', eager: true });
const load = async (name: string) =>
  new Uint8Array(await (await fetch(films[`../fixtures/films/${name}`]!)).arrayBuffer());

type Place = { at: number; length: number };

/** The content of the first box of this type. */
function contentOfBox(bytes: Uint8Array, type: string): Place {
  const at = textOf(bytes).indexOf(type);
  return { at: at + 4, length: new DataView(bytes.buffer).getUint32(at - 4) - 8 };
}

/** The content of the element CodecPrivate number `which`, whose size takes one or two bytes here. */
function contentOfPrivate(bytes: Uint8Array, which: number): Place {
  let at = -1;
  for (let i = 0; i <= which; i++) at = textOf(bytes).indexOf('\x63\xa2', at + 1);
  const [first, second] = [bytes[at + 2]!, bytes[at + 3]!];
  return first & 0x80 ? { at: at + 3, length: first & 0x7f } : { at: at + 4, length: ((first & 0x3f) << 8) | second };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

async function settle(bytes: Uint8Array): Promise<string> {
  try {
    await using clip = await openClip(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    let count = 0;
    for await (const _ of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 16_000 })) count++;
    return count === clip.segmentCount ? 'result' : `${count} of ${clip.segmentCount} seconds`;
  } catch (error) {
    return error instanceof MettleError ? error.code : `no MettleError: ${error}`;
  }
}

test.each([
  ['hvcC', 'hevc.mp4', (bytes: Uint8Array) => contentOfBox(bytes, 'hvcC')],
  ['avcC', 'film.mp4', (bytes: Uint8Array) => contentOfBox(bytes, 'avcC')],
  ['esds', 'film.mp4', (bytes: Uint8Array) => contentOfBox(bytes, 'esds')],
  ['av1C', 'av1.mp4', (bytes: Uint8Array) => contentOfBox(bytes, 'av1C')],
  ['vpcC', 'vp9.mp4', (bytes: Uint8Array) => contentOfBox(bytes, 'vpcC')],
  ['CodecPrivate of H.264', 'film.mkv', (bytes: Uint8Array) => contentOfPrivate(bytes, 0)],
  ['CodecPrivate of AAC', 'film.mkv', (bytes: Uint8Array) => contentOfPrivate(bytes, 1)],
  ['CodecPrivate of Opus', 'film.webm', (bytes: Uint8Array) => contentOfPrivate(bytes, 0)],
])('a wrong byte in %s of %s ends in a result or a MettleError', { timeout: 60_000 }, async (_, name, find) => {
  const good = await load(name);
  const { at, length } = find(good);
  expect(length).toBeGreaterThan(3);
  const step = Math.max(1, Math.floor(length / 10));
  for (let i = 0; i < length; i += step) {
    for (const value of [0, good[at + i]! ^ 0xa1]) {
      const bytes = good.slice();
      bytes[at + i] = value;
      expect(await settle(bytes), `byte ${i} is ${value}`).toMatch(
        /^(result|not-media|empty-media|unsupported-codec)$/,
      );
    }
  }
});
