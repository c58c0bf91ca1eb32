/// <reference types="vite/client" />
/**
 * The small films of test/fixtures/films, in a page and in Node: luma 40, 120 and 200 in the first, second and third second, and a tone of 1 kHz from 1.0 s on (see
 * test/tools/make-films.sh). Whatever the container: the right picture in each second, and the tone where it is, within 6 ms.
 */
import { expect, test } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import { withEdits, withField } from '../helpers/film-edits.ts';

const films = import.meta.glob<string>('../fixtures/films/*', { query: '?url&inline', import: 'default', eager: true });
const load = async (name: string) =>
  new Uint8Array(await (await fetch(films[`../fixtures/films/${name}`]!)).arrayBuffer());

type Seen = { duration: number; greys: (number | null)[]; onset: number | null; warnings: string[] };

/** Grey level of each second's picture: 28, 121 and 214 are luma 40, 120 and 200. */
async function see(bytes: Uint8Array): Promise<Seen> {
  await using clip = await openClip(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const greys: (number | null)[] = [];
  let onset: number | null = null;
  for await (const { start, frame, pcm } of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 16_000 })) {
    greys.push(frame && frame.data[96]!);
    const first = pcm?.findIndex((value) => Math.abs(value) > 0.1) ?? -1;
    if (first >= 0) onset ??= start + first / 16_000;
  }
  return { duration: clip.duration, greys, onset, warnings: clip.warnings.map(({ code }) => code) };
}

function close(values: (number | null)[], expected: number[]): void {
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of values.entries()) expect(Math.abs(value! - expected[i]!)).toBeLessThanOrEqual(3);
}

const within6ms = (onset: number | null, expected: number) => expect(Math.abs(onset! - expected)).toBeLessThan(0.006);

test.each([
  'film.mp4',
  'film.mov',
  'film.mkv',
  'film.webm',
  'film.mpegts',
  'late.mpegts',
  'late.webm',
  'unindexed.mkv',
])('%s: each second shows its picture, and the tone begins at 1 s', async (name) => {
  const { duration, greys, onset, warnings } = await see(await load(name));
  close(greys, [28, 121, 214]);
  within6ms(onset, 1);
  expect(Math.abs(duration - 3)).toBeLessThan(0.03);
  expect(warnings).toEqual([]);
});

test.each(['sound.mp3', 'sound.aac', 'sound.mka', 'sound.ogg', 'sound.flac', 'sound.wav'])(
  '%s: the tone begins at 1 s',
  async (name) => {
    const { onset, greys } = await see(await load(name));
    within6ms(onset, 1);
    expect(greys).toEqual([null, null, null]);
  },
);

test('the eleventh channel of a sound is heard in the mean of all', async () => {
  const energies: number[] = [];
  await using clip = await openClip(new Blob([(await load('channels.mka')) as Uint8Array<ArrayBuffer>]));
  for await (const { pcm } of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 48_000 })) {
    energies.push(pcm!.reduce((sum, value) => sum + value * value, 0));
  }
  // A tone of amplitude 0.8 for a tenth of a second, in one channel of eleven, coded at a low rate.
  const tone = (4800 * (0.8 / 11) ** 2) / 2;
  expect(Math.abs(energies[1]! / tone - 1)).toBeLessThan(0.3);
  expect(energies[0]! + energies[2]!).toBeLessThan(0.05 * tone);
});

test('a cut-off file without an index shows what it holds', async () => {
  const bytes = await load('unindexed.mkv');
  const { greys, onset } = await see(bytes.subarray(0, bytes.length * 0.8));
  close(greys.slice(0, 2), [28, 121]);
  within6ms(onset, 1);
});

test('a piece of a stream with its head begins with its first moment; alone it is told apart', async () => {
  const { duration, greys, onset } = await see(await load('piece.mp4'));
  // Its picture begins at 1 s, and its sound 0.19 s before that.
  close(greys, [121, 121]);
  within6ms(onset, 0.189);
  expect(Math.abs(duration - 1.19)).toBeLessThan(0.03);
  await expect(see(await load('piece.m4s'))).rejects.toMatchObject({
    code: 'not-media',
    message: expect.stringContaining('one piece of a stream'),
  });
});

test.each([
  ['a trimmed end', [{ duration: 2, media: 0 }], [28, 121], 1],
  ['a trimmed beginning', [{ duration: 2, media: 1 }], [121, 214], 0],
  [
    'a middle cut out',
    [
      { duration: 1, media: 0 },
      { duration: 1, media: 2 },
    ],
    [28, 214],
    null,
  ],
  [
    'three stretches in another order',
    [
      { duration: 1, media: 2 },
      { duration: 1, media: 1 },
      { duration: 1, media: 0 },
    ],
    [214, 121, 28],
    1,
  ],
  [
    'a stretch shown twice',
    [
      { duration: 2, media: 1 },
      { duration: 1, media: 1 },
    ],
    [121, 214, 121],
    0,
  ],
  [
    'a pause before it',
    [
      { duration: 1, media: null },
      { duration: 3, media: 0 },
    ],
    [28, 28, 121, 214],
    2,
  ],
])('an edit list with %s is followed', async (_, edits, expected, onset) => {
  const seen = await see(withEdits(await load('film.mp4'), edits));
  close(seen.greys, expected);
  if (onset === null) expect(seen.onset).toBeNull();
  else within6ms(seen.onset, onset);
});

test('where the preferred picture cannot be decoded, the other is taken, and a warning says so', async () => {
  const { greys, warnings } = await see(await load('two-pictures.mp4'));
  close(greys, [28, 121, 214]);
  expect(warnings).toContain('other-stream');
});

test('sound that cannot be decoded is named where there is no other', async () => {
  await expect(see(await load('adpcm.wav'))).rejects.toMatchObject({ code: 'unsupported-codec' });
});

test('a sound track without one sample is no sound', async () => {
  let bytes: Uint8Array = await load('film.mp4');
  for (const [type, offset] of [
    ['stts', 4],
    ['stsc', 4],
    ['stco', 4],
    ['stsz', 8],
  ] as const) {
    bytes = withField(bytes, type, offset, 0, 1);
  }
  const { greys, warnings } = await see(bytes);
  close(greys, [28, 121, 214]);
  expect(warnings).toEqual(['no-audio']);
});

test('VP9 whose header names a level that does not exist is decoded', async () => {
  // Content of vpcC: version and flags, profile, level, ...; Chromium's recorder writes level 0.
  const bytes = withField(await load('vp9.mp4'), 'vpcC', 0, 0x01000000);
  bytes[bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === 'vpcC') + 9] = 0;
  close((await see(bytes)).greys, [28, 121, 214]);
});

test.each([
  ['stts', 8],
  ['ctts', 8],
  ['stsc', 8],
  ['stsc', 12],
  ['stsz', 8],
  ['stts', 4],
  ['ctts', 4],
])('a count of 4 billion in %s at %d ends in an error', async (type, offset) => {
  const bytes = withField(await load('film.mp4'), type, offset, 0xfffffff0);
  await expect(see(bytes)).rejects.toMatchObject({ name: 'MettleError', code: 'not-media' });
});

test('Matroska with a tail of zeros is read as far as it goes', async () => {
  const film = await load('film.mkv');
  for (const one of [film, await load('unindexed.mkv')]) {
    const grown = new Uint8Array(3_000_000);
    grown.set(one);
    close((await see(grown)).greys, [28, 121, 214]);
  }
  const damaged = film.slice().fill(0, film.length * 0.7);
  const { greys, warnings } = await see(damaged);
  close(greys.slice(0, 1), [28]);
  expect(warnings).toContain('truncated');
});

test.each([
  ['film.webm', 0, [28, 121, 214]],
  ['film.webm', 0xff, [28, 121, 214]],
  ['unindexed.mkv', 0, [28, 121, 214]],
  ['unindexed.mkv', 0xff, [28, 121, 214]],
  // All of it is one cluster: what follows the damage is lost. In a page a frame that cannot be decoded may take those before it along.
  ['film.mkv', 0, [28]],
  ['film.mkv', 0xff, []],
])('%s with bytes of %d in its middle is read around them, with a warning', async (name, value, expected) => {
  const film = await load(name);
  const damaged = film.slice().fill(value, film.length * 0.55, film.length * 0.6);
  const { greys, warnings } = await see(damaged);
  close(greys.slice(0, expected.length), expected);
  expect(warnings).toContain('truncated');
});

test('a first cluster whose size is no size ends the file, and not in a circle', async () => {
  const film = await load('late.webm');
  const at = film.findIndex((_, i) => [0x1f, 0x43, 0xb6, 0x75].every((byte, k) => film[i + k] === byte));
  expect(at).toBeGreaterThan(0);
  await expect(see(film.slice().fill(0, at + 4, at + 5))).rejects.toMatchObject({ code: 'not-media' });
});

test('ADTS whose zeros begin within the header of a frame ends there', async () => {
  const sound = await load('sound.aac');
  const length = (at: number): number => ((sound[at + 3]! & 3) << 11) | (sound[at + 4]! << 3) | (sound[at + 5]! >> 5);
  const third = length(0) + length(length(0));
  const { duration } = await see(sound.slice().fill(0, third + 4));
  // Two frames, of which the first only primes the decoder.
  expect(duration).toBeCloseTo(1024 / 48_000, 6);
});

test('a sound of 1 Hz is refused', async () => {
  const bytes = withFieldLittle(await load('sound.wav'), 24, 1);
  await expect(see(bytes)).rejects.toMatchObject({
    code: 'not-media',
    message: expect.stringContaining('1 samples per second'),
  });
});

function withFieldLittle(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}
