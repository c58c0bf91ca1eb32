/**
 * PNG reader: every colour type and bit depth of the specification (https://www.w3.org/TR/png-3/), without interlacing. Checks sizes before it takes memory: what
 * the pixels take follows from the header, and not a byte more is unpacked. Metadata, gamma and colour profiles are ignored.
 */
import { inflateSync } from 'node:zlib';
import { bytesText, limits } from '../../contract/limits.ts';
import { MettleError } from '../../errors.ts';

/** `data` is [height, width, channels], 8 bits each; 1 channel is grey, 3 are RGB, with alpha 2 and 4. Samples of fewer bits are stretched to 0 to 255. */
export type DecodedPng = { width: number; height: number; channels: 1 | 2 | 3 | 4; data: Uint8Array };

/** Samples as the file has them, [height, width, channels], of `depth` bits: numbers of colours in `palette` (RGB) and `transparency` where there is one. */
export type PngSamples = {
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
  depth: number;
  palette: Uint8Array | null;
  transparency: Uint8Array | null;
  data: Uint8Array | Uint16Array;
};

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Throws `invalid-file` that begins with `where`. */
export function decodePng(bytes: Uint8Array, where = 'PNG file'): DecodedPng {
  const { width, height, channels, depth, palette, transparency, data } = decodePngSamples(bytes, where);
  if (palette) {
    const colors = transparency ? 4 : 3;
    const looked = new Uint8Array(data.length * colors);
    for (let i = 0; i < data.length; i++) {
      for (let c = 0; c < 3; c++) looked[i * colors + c] = palette[data[i]! * 3 + c]!;
      if (transparency) looked[i * colors + 3] = transparency[data[i]!] ?? 255;
    }
    return { width, height, channels: colors, data: looked };
  }
  if (data instanceof Uint16Array) return { width, height, channels, data: Uint8Array.from(data, (x) => x >> 8) };
  const scale = 255 / (2 ** depth - 1);
  return { width, height, channels, data: scale === 1 ? data : data.map((x) => x * scale) };
}

/** Throws `invalid-file` that begins with `where`, also for a colour that the palette lacks. */
export function decodePngSamples(bytes: Uint8Array, where = 'PNG file'): PngSamples {
  const fail: Fail = (problem, hint) => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, { hint });
  };
  if (signature.some((byte, index) => bytes[index] !== byte)) fail('the bytes are no PNG');
  const { header, palette, transparency, compressed } = readChunks(bytes, fail);
  const { width, height, depth, colorType } = header;
  const channels = samplesPerPixel[colorType]!;
  const stride = strideOf(header);
  const rows = inflate(compressed, height * (stride + 1), fail);
  unfilter(rows, height, stride, Math.max(1, (channels * depth) / 8), fail);
  const data = unpack(rows, width * channels, height, stride, depth);
  if (colorType !== 3) return { width, height, channels, depth, palette: null, transparency: null, data };
  if (!palette) return fail('a picture with a palette lacks the palette');
  const colors = Math.floor(palette.length / 3);
  for (const index of data) if (index >= colors) fail(`a pixel has colour ${index} of a palette of ${colors}`);
  return { width, height, channels: 1, depth, palette, transparency, data };
}

type Fail = (problem: string, hint?: string) => never;
type Header = { width: number; height: number; depth: number; colorType: number };

const samplesPerPixel: Record<number, PngSamples['channels']> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depths: Record<number, number[]> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };

function readChunks(bytes: Uint8Array, fail: Fail) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [];
  let header: Header | null = null;
  let palette: Uint8Array | null = null;
  let transparency: Uint8Array | null = null;
  for (let at = signature.length; ; ) {
    if (at + 12 > bytes.length) return fail(`the file ends at byte ${bytes.length}, within its chunks`);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) return fail(`chunk ${JSON.stringify(type)} is cut off`);
    const body = bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
    if (type === 'IHDR' && !header) header = readHeader(body, fail);
    if (!header) return fail('the file does not begin with its header');
    if (type === 'PLTE') palette = body;
    else if (type === 'tRNS') transparency = body;
    else if (type === 'IDAT') pieces.push(body);
    else if (type === 'IEND') break;
  }
  return { header, palette, transparency, compressed: Buffer.concat(pieces) };
}

function readHeader(body: Uint8Array, fail: Fail): Header {
  if (body.length !== 13) fail(`a header of ${body.length} bytes, expected 13`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colorType, compression, filter, interlace] = body.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (!depths[colorType]?.includes(depth)) fail(`colour type ${colorType} with ${depth} bits does not exist`);
  if (compression !== 0 || filter !== 0) fail('the compression or filter method is unknown');
  if (interlace !== 0) fail('the picture is interlaced, which is not read', 'Save it without interlacing (Adam7).');
  checkSize({ width, height, depth, colorType }, fail);
  return { width, height, depth, colorType };
}

const strideOf = ({ width, depth, colorType }: Header): number =>
  Math.ceil((width * samplesPerPixel[colorType]! * depth) / 8);

/** Of the pixels unpacked: samples of fewer than 8 bits take a byte each. */
function checkSize(header: Header, fail: Fail): void {
  const { width, height, depth, colorType } = header;
  const { pictureSide, pictureBytes } = limits;
  if (width < 1 || height < 1 || width > pictureSide || height > pictureSide) {
    fail(`${width} x ${height} pixels, expected 1 to ${pictureSide} along each side`);
  }
  const bytes = width * height * samplesPerPixel[colorType]! * Math.ceil(depth / 8);
  if (bytes <= pictureBytes) return;
  fail(
    `${width} x ${height} pixels take ${bytesText(bytes)}, expected at most ${bytesText(pictureBytes)}`,
    'Make the picture smaller.',
  );
}

function inflate(compressed: Uint8Array, size: number, fail: Fail): Uint8Array {
  let filtered: Uint8Array;
  try {
    filtered = inflateSync(compressed, { maxOutputLength: size });
  } catch (error) {
    return fail(`its pixels cannot be unpacked (${(error as Error).message})`);
  }
  return filtered.length === size ? filtered : fail(`${filtered.length} bytes of pixels, expected ${size}`);
}

/** Undoes the filters of section 9 in place, row by row; each row begins with its filter. `step` is the distance to the byte on the left. */
function unfilter(rows: Uint8Array, height: number, stride: number, step: number, fail: Fail): void {
  for (let row = 0; row < height; row++) {
    const at = row * (stride + 1) + 1;
    const filter = rows[at - 1]!;
    if (filter > 4) fail(`row ${row} has filter ${filter}, expected 0 to 4`);
    if (filter === 0) continue;
    const above = at - stride - 1;
    for (let i = 0; i < stride; i++) {
      const left = i >= step ? rows[at + i - step]! : 0;
      const up = row > 0 ? rows[above + i]! : 0;
      let guess = 0;
      if (filter === 1) guess = left;
      else if (filter === 2) guess = up;
      else if (filter === 3) guess = (left + up) >> 1;
      else guess = paeth(left, up, row > 0 && i >= step ? rows[above + i - step]! : 0);
      rows[at + i] = rows[at + i]! + guess;
    }
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const [toLeft, toUp, toUpLeft] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)];
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

/** Samples of any depth without the filters between the rows. */
function unpack(rows: Uint8Array, perRow: number, height: number, stride: number, depth: number) {
  const data = depth === 16 ? new Uint16Array(perRow * height) : new Uint8Array(perRow * height);
  const largest = 2 ** depth - 1;
  for (let row = 0; row < height; row++) {
    const at = row * (stride + 1) + 1;
    const to = row * perRow;
    if (depth === 8) {
      data.set(rows.subarray(at, at + stride), to);
      continue;
    }
    for (let i = 0; i < perRow; i++) {
      const bit = i * depth;
      data[to + i] =
        depth === 16
          ? (rows[at + 2 * i]! << 8) | rows[at + 2 * i + 1]!
          : (rows[at + (bit >> 3)]! >> (8 - depth - (bit & 7))) & largest;
    }
  }
  return data;
}
