/** Masks and frames from files: PNGs of every depth and colour type against pixels known beforehand, a JPEG that Chromium wrote, and broken bytes. */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readMask } from '../../sdk/node/data/mask.ts';
import { readPicture } from '../../sdk/node/data/picture.ts';
import { decodePng } from '../../sdk/node/data/png-reader.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';
import { brokenCopies, randomNumbers, survives } from '../unit/fuzz.ts';

const invalid = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid-file', message: expect.stringMatching(message) });

type PngParts = {
  width: number;
  height: number;
  depth: number;
  colorType: number;
  /** Packed rows without filter bytes. */
  rows: number[][];
  palette?: number[];
  alpha?: number[];
  header?: Partial<Record<'interlace' | 'compression', number>>;
};

/** Writes a PNG of any type; row `i` gets filter `i % 5`. Check sums are left 0: readers of pixels need none. */
function pngOf({ width, height, depth, colorType, rows, palette, alpha, header = {} }: PngParts): Uint8Array {
  const step = Math.max(1, (depth * { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType]!) / 8);
  const filtered = rows.flatMap((row, r) => {
    const filter = r % 5;
    return [
      filter,
      ...row.map((byte, i) => {
        const a = row[i - step] ?? 0;
        const b = rows[r - 1]?.[i] ?? 0;
        const c = rows[r - 1]?.[i - step] ?? 0;
        const p = a + b - c;
        const nearest = [a, b, c].reduce((best, value) => (Math.abs(p - value) < Math.abs(p - best) ? value : best));
        return (byte - [0, a, b, (a + b) >> 1, nearest][filter]!) & 255;
      }),
    ];
  });
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  const { compression = 0, interlace = 0 } = header;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.concat([size, Buffer.from([depth, colorType, compression, 0, interlace])])),
    ...(palette ? [chunk('PLTE', Buffer.from(palette))] : []),
    ...(alpha ? [chunk('tRNS', Buffer.from(alpha))] : []),
    chunk('tEXt', Buffer.from('made by a test')),
    chunk('IDAT', deflateSync(Buffer.from(filtered))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, Buffer.from(type, 'latin1'), body, Buffer.alloc(4)]);
}

/** Samples to rows of bytes, big end first. */
const pack = (samples: number[][], depth: number): number[][] =>
  samples.map((row) => {
    if (depth === 16) return row.flatMap((sample) => [sample >> 8, sample & 255]);
    const bits = row.map((sample) => sample.toString(2).padStart(depth, '0')).join('');
    return bits.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  });

/** Noise of `height` rows with `count` samples of `depth` bits. */
function noise(count: number, height: number, depth: number): number[][] {
  const random = randomNumbers(depth + count);
  return Array.from({ length: height }, () => Array.from({ length: count }, () => Math.floor(random() * 2 ** depth)));
}

describe('decodePng', () => {
  const [width, height] = [13, 11];

  test.each([
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
    [4, 8],
    [4, 16],
    [6, 8],
    [6, 16],
  ])('colour type %d with %d bits, all filters', (colorType, depth) => {
    const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[colorType]!;
    const samples = noise(width * channels, height, depth);
    const file = pngOf({ width, height, depth, colorType, rows: pack(samples, depth) });
    const expected = samples.flat().map((sample) => (depth === 16 ? sample >> 8 : (sample * 255) / (2 ** depth - 1)));
    expect(decodePng(file)).toEqual({ width, height, channels, data: Uint8Array.from(expected) });
  });

  test.each([1, 2, 4, 8])('a palette of %d bits', (depth) => {
    const samples = noise(width, height, depth);
    const palette = noise(3 * 2 ** depth, 1, 8)[0]!;
    const parts = { width, height, depth, colorType: 3, rows: pack(samples, depth), palette };
    const colors = samples.flat().map((index) => palette.slice(3 * index, 3 * index + 3));
    expect(decodePng(pngOf(parts))).toMatchObject({ channels: 3, data: Uint8Array.from(colors.flat()) });
    const withAlpha = samples.flat().flatMap((index, i) => [...colors[i]!, index === 0 ? 7 : 255]);
    expect(decodePng(pngOf({ ...parts, alpha: [7] }))).toMatchObject({ channels: 4, data: Uint8Array.from(withAlpha) });
  });

  test('what cannot be read is refused', () => {
    const good = { width: 2, height: 1, depth: 8, colorType: 0, rows: [[1, 2]] };
    const refuse = (parts: Partial<PngParts>) => () => decodePng(pngOf({ ...good, ...parts }), 'masks/1.png');
    expect(refuse({ header: { interlace: 1 } })).toThrow(invalid(/^masks\/1\.png: .*interlaced/));
    expect(refuse({ header: { compression: 1 } })).toThrow(invalid(/method is unknown/));
    expect(refuse({ width: 8193 })).toThrow(invalid(/8193 x 1 pixels/));
    expect(refuse({ height: 0 })).toThrow(invalid(/2 x 0 pixels/));
    expect(refuse({ depth: 3 })).toThrow(invalid(/3 bits/));
    expect(refuse({ height: 2 })).toThrow(invalid(/3 bytes of pixels, expected 6/));
    expect(
      refuse({
        rows: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toThrow(invalid(/cannot be unpacked/));
    expect(refuse({ colorType: 3 })).toThrow(invalid(/lacks the palette/));
    expect(refuse({ colorType: 3, palette: [0, 0, 0] })).toThrow(invalid(/colour 1 of a palette of 1/));
    expect(() => decodePng(Buffer.from('GIF89a'))).toThrow(invalid(/no PNG/));
  });

  test('1,000 broken copies are read or refused', () => {
    const palette = noise(3 * 16, 1, 8)[0]!;
    const grey = encodePng({ width: 5, height: 4, data: Uint8Array.from({ length: 20 }, (_, i) => 12 * i) });
    const colored = new Uint8Array(
      pngOf({ width, height, depth: 4, colorType: 3, rows: pack(noise(width, height, 4), 4), palette }),
    );
    for (const good of [grey, colored]) {
      const refused = survives(brokenCopies(good, 500), 'x.png: ', (bytes) => decodePng(bytes, 'x.png'));
      expect(refused).toBeGreaterThan(200);
    }
  });
});

describe('readMask', () => {
  const maskOf = (values: number[], parts: Partial<PngParts> = {}) =>
    readMask(pngOf({ width: values.length, height: 1, depth: 8, colorType: 0, rows: [values], ...parts }));

  test.each<[string, Uint8Array]>([
    ['1 bit', pngOf({ width: 4, height: 1, depth: 1, colorType: 0, rows: [[0b01100000]] })],
    ['0 and 255', encodePng({ width: 4, height: 1, data: Uint8Array.of(0, 255, 255, 0) })],
    ['0 and 1', encodePng({ width: 4, height: 1, data: Uint8Array.of(0, 1, 1, 0) })],
    [
      'palette',
      pngOf({ width: 4, height: 1, depth: 8, colorType: 3, rows: [[0, 1, 1, 0]], palette: [0, 0, 0, 128, 0, 0] }),
    ],
    ['RGB', encodePng({ width: 4, height: 1, data: Uint8Array.of(0, 0, 0, 0, 0, 9, 0, 0, 9, 0, 0, 0) })],
    [
      'RGBA',
      pngOf({ width: 4, height: 1, depth: 8, colorType: 6, rows: [[9, 9, 9, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0]] }),
    ],
  ])('%s', (_, bytes) => {
    expect(readMask(bytes)).toEqual({ width: 4, height: 1, data: Uint8Array.of(0, 1, 1, 0), levels: 2 });
  });

  test('smoothed edges are cut at one half, numbers of objects are all object, one value is all or nothing', () => {
    expect(maskOf([0, 127, 128, 255])).toMatchObject({ data: Uint8Array.of(0, 0, 1, 1), levels: 4 });
    expect(maskOf([0, 1, 2, 3])).toMatchObject({ data: Uint8Array.of(0, 1, 1, 1), levels: 4 });
    expect(maskOf([0, 0])).toMatchObject({ data: Uint8Array.of(0, 0), levels: 1 });
    expect(maskOf([1, 1])).toMatchObject({ data: Uint8Array.of(1, 1), levels: 1 });
  });
});

describe('readPicture', () => {
  test('PNG of any kind as RGB', async () => {
    const grey = encodePng({ width: 2, height: 1, data: Uint8Array.of(7, 200) });
    expect(await readPicture(grey)).toEqual({ width: 2, height: 1, data: Uint8Array.of(7, 7, 7, 200, 200, 200) });
    const rgba = encodePng({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3, 4) });
    expect(await readPicture(rgba)).toEqual({ width: 1, height: 1, data: Uint8Array.of(1, 2, 3) });
  });

  test('a JPEG, within 2 levels of what was painted; halved colour planes blur the edge', async () => {
    const { width, height, data } = await readPicture(Buffer.from(JPEG, 'base64'));
    expect([width, height, data.length]).toEqual([37, 19, 37 * 19 * 3]);
    const worst = data.reduce((largest, value, i) => {
      const x = Math.floor(i / 3) % 37;
      if (x === 15 || x === 16) return largest;
      const painted = x < 16 ? [200, 40, 40] : [30, 60, 220];
      return Math.max(largest, Math.abs(value - painted[i % 3]!));
    }, 0);
    expect(worst).toBeLessThanOrEqual(2);
  });

  test('other bytes and broken JPEGs are refused', async () => {
    await expect(readPicture(Buffer.from('GIF89a'), 'x.gif')).rejects.toEqual(invalid(/^x\.gif: neither PNG nor JPEG/));
    await expect(readPicture(Buffer.from(JPEG, 'base64').subarray(0, 120), 'x.jpg')).rejects.toEqual(
      invalid(/^x\.jpg: the JPEG/),
    );
  });
});

/** 37 x 19 pixels: 16 columns of rgb(200, 40, 40), then rgb(30, 60, 220); from a canvas in Chromium, quality 0.9. */
const JPEG =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGB' +
  'YUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAT' +
  'ACUDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAYH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABcBAQEBAQAAAAAAAAAAAAAAAAkABw' +
  'j/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwDFAGbu1UaASsb4AksgBqEgRoBKxvgCT//Z';

describe('masks of other data sets', () => {
  /** Rows of blocks of 4 x 4 pixels, one for each value: areas of their own. */
  const blocks = (values: readonly number[]) => values.flatMap((value) => [value, value, value, value]);
  const grey = (values: readonly number[], depth = 8) => {
    const row = blocks(values).flatMap((value) => (depth === 16 ? [value >> 8, value & 255] : [value]));
    return readMask(
      pngOf({ width: 4 * values.length, height: 4, depth, colorType: 0, rows: [row, row, row, row] }),
      'masks/1.png',
    );
  };
  const indexed = (indices: readonly number[], palette: readonly number[]) => {
    const row = blocks(indices);
    const rows = [row, row, row, row];
    return readMask(
      pngOf({ width: row.length, height: 4, depth: 8, colorType: 3, rows, palette: [...palette] }),
      'masks/1.png',
    );
  };
  /** What the first row says of each block: 0, 1, or '?' where nobody knows. */
  const read = ({ data, ignored, width }: ReturnType<typeof readMask>) =>
    Array.from({ length: width / 4 }, (_, i) => (ignored?.[4 * i] ? '?' : String(data[4 * i]))).join('');
  /** VOC's palette: the bits of a number spread over the three colours. */
  const voc = Array.from({ length: 256 }, (_, number) => {
    const color = [0, 0, 0];
    for (let bit = 0; bit < 8; bit++) {
      for (let c = 0; c < 3; c++) color[c]! |= ((number >> (3 * (bit % 3) + c)) & (bit < 3 ? 1 : 0)) << (7 - bit);
    }
    return number === 255 ? [224, 224, 192] : color;
  }).flat();

  test.each<[string, () => ReturnType<typeof readMask>, string]>([
    ['16 bits, 0 and 1', () => grey([0, 1], 16), '01'],
    ['16 bits, small numbers and the largest', () => grey([0, 3, 65_535], 16), '01?'],
    ['16 bits, black and white', () => grey([0, 65_535], 16), '01'],
    ['16 bits, large numbers of objects', () => grey([0, 1001, 40_000], 16), '011'],
    ['0, 1 and 255', () => grey([0, 1, 255]), '01?'],
    ['1 and 255 without background', () => grey([1, 255]), '1?'],
    ['0 and 255', () => grey([0, 255]), '01'],
    ['several objects and 255', () => grey([0, 7, 15, 255]), '011?'],
    ['objects on both sides of 128', () => grey([0, 100, 200]), '011'],
    ['objects spread over the greys', () => grey([0, 85, 170, 255]), '0111'],
    ['two colours of a palette on both sides of 128', () => indexed([0, 1, 2], [0, 0, 0, 60, 0, 0, 0, 200, 0]), '011'],
    ["VOC's palette with its border", () => indexed([0, 1, 2, 255], voc), '011?'],
    ["VOC's palette, border and background alone", () => indexed([0, 255], voc), '0?'],
  ])('%s', (_, mask, expected) => {
    expect(read(mask())).toBe(expected);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['255 beside numbers that may be shades', () => grey([0, 90, 255]), /^masks\/1\.png: the values 0, 90, 255 may be/],
    ['colours without black', () => indexed([1, 2], voc), /2 colours and no black/],
    [
      'white beside a colour',
      () => indexed([0, 1, 2], [0, 0, 0, 255, 255, 255, 200, 0, 0]),
      /white beside other colours/,
    ],
  ])('%s are refused', (_, mask, message) => {
    expect(mask).toThrow(invalid(message));
  });

  test.skipIf(sharedIsAbsent('cases/masks'))('that once failed', () => {
    const void255 = readMask(readShared('cases/masks/grey_void.png'));
    const small16 = readMask(readShared('cases/masks/u16_01.png'));
    const share = (plane: Uint8Array) => plane.reduce((sum, on) => sum + on, 0) / plane.length;
    expect(share(small16.data)).toBeGreaterThan(0);
    expect(small16.ignored).toBeUndefined();
    expect(share(void255.data)).toBeGreaterThan(0);
    expect(share(void255.ignored!)).toBeGreaterThan(0);
    expect(void255.data.some((on, i) => on === 1 && void255.ignored![i] === 1)).toBe(false);
  });
});
