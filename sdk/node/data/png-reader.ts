/**
 * PNG reader: every colour type and bit depth of the specification (https://www.w3.org/TR/png-3/), without interlacing. Checks sizes before it takes memory.
 * Metadata, gamma and colour profiles are ignored.
 */
import { inflateSync } from 'node:zlib';
import { MettleError } from '../../errors.ts';

/** `data` is [height, width, channels], 8 bits each; 1 channel is grey, 3 are RGB, with alpha 2 and 4. Samples of fewer bits are stretched to 0 to 255. */
export type DecodedPng = { width: number; height: number; channels: 1 | 2 | 3 | 4; data: Uint8Array };

const largestSide = 8192;
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Throws `invalid-file` that begins with `where`. */
export function decodePng(bytes: Uint8Array, where = 'PNG file'): DecodedPng {
  const fail: Fail = (problem, hint) => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, { hint });
  };
  if (signature.some((byte, index) => bytes[index] !== byte)) fail('the bytes are no PNG');
  const { header, palette, transparency, compressed } = readChunks(bytes, fail);
  const { width, height, depth, colorType } = header;
  const samples = samplesPerPixel[colorType]!;
  const stride = Math.ceil((width * samples * depth) / 8);
  const filtered = inflate(compressed, height * (stride + 1), fail);
  const rows = unfilter(filtered, height, stride, Math.max(1, (samples * depth) / 8), fail);
  if (colorType !== 3) {
    const channels = samples as DecodedPng['channels'];
    return { width, height, channels, data: toBytes(rows, width * samples, height, stride, depth, true) };
  }
  if (!palette) return fail('a picture with a palette lacks the palette');
  const indices = toBytes(rows, width, height, stride, depth, false);
  return { width, height, ...lookUp(indices, palette, transparency, fail) };
}

type Fail = (problem: string, hint?: string) => never;
type Header = { width: number; height: number; depth: number; colorType: number };

const samplesPerPixel: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
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
  if (width < 1 || height < 1 || width > largestSide || height > largestSide) {
    fail(`${width} x ${height} pixels, expected 1 to ${largestSide} along each side`);
  }
  if (!depths[colorType]?.includes(depth)) fail(`colour type ${colorType} with ${depth} bits does not exist`);
  if (compression !== 0 || filter !== 0) fail('the compression or filter method is unknown');
  if (interlace !== 0) fail('the picture is interlaced, which is not read', 'Save it without interlacing (Adam7).');
  return { width, height, depth, colorType };
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

/** Undoes the filters of section 9, row by row; `step` is the distance to the byte on the left. */
function unfilter(filtered: Uint8Array, height: number, stride: number, step: number, fail: Fail): Uint8Array {
  const rows = new Uint8Array(height * stride);
  for (let row = 0; row < height; row++) {
    const from = row * (stride + 1);
    const to = row * stride;
    const filter = filtered[from]!;
    if (filter > 4) fail(`row ${row} has filter ${filter}, expected 0 to 4`);
    for (let i = 0; i < stride; i++) {
      const left = i >= step ? rows[to + i - step]! : 0;
      const up = row > 0 ? rows[to - stride + i]! : 0;
      let guess = 0;
      if (filter === 1) guess = left;
      else if (filter === 2) guess = up;
      else if (filter === 3) guess = (left + up) >> 1;
      else if (filter === 4) guess = paeth(left, up, row > 0 && i >= step ? rows[to - stride + i - step]! : 0);
      rows[to + i] = filtered[from + 1 + i]! + guess;
    }
  }
  return rows;
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const [toLeft, toUp, toUpLeft] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - upLeft)];
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

/** Samples of any depth as bytes: the high byte of 16 bits; fewer than 8 bits stretched to 0 to 255, or as they are. */
function toBytes(rows: Uint8Array, perRow: number, height: number, stride: number, depth: number, stretch: boolean) {
  if (depth === 8) return rows;
  const data = new Uint8Array(perRow * height);
  const largest = 2 ** depth - 1;
  const scale = stretch ? 255 / largest : 1;
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < perRow; i++) {
      if (depth === 16) data[row * perRow + i] = rows[row * stride + 2 * i]!;
      else {
        const bit = i * depth;
        const sample = (rows[row * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & largest;
        data[row * perRow + i] = sample * scale;
      }
    }
  }
  return data;
}

function lookUp(indices: Uint8Array, palette: Uint8Array, transparency: Uint8Array | null, fail: Fail) {
  const colors = palette.length / 3;
  const channels = transparency ? 4 : 3;
  const data = new Uint8Array(indices.length * channels);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index >= colors) fail(`a pixel has colour ${index} of a palette of ${Math.floor(colors)}`);
    for (let c = 0; c < 3; c++) data[i * channels + c] = palette[index * 3 + c]!;
    if (transparency) data[i * channels + 3] = transparency[index] ?? 255;
  }
  return { channels: channels as 3 | 4, data };
}
