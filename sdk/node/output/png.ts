/** PNG writer for 8-bit pictures: grey, RGB or RGBA. No palettes, no interlacing, no metadata. */
import { deflateSync } from 'node:zlib';
import { joinBytes } from '../../arrays.ts';
import { MettleError } from '../../errors.ts';

/** `data` is [height, width, channels] without padding; 1 channel is grey, 3 are RGB, 4 RGBA. */
export type PngImage = { width: number; height: number; data: Uint8Array | Uint8ClampedArray };

/**
 * Encodes a picture. The number of channels follows from the length of `data`; each row takes the filter that leaves the smallest differences.
 * @throws MettleError `invalid-argument` if the sizes do not agree
 */
export function encodePng(image: PngImage): Uint8Array<ArrayBuffer> {
  const { width, height, data } = image;
  const channels = data.length / (width * height);
  const colorType = COLOR_TYPES[channels];
  if (!isSize(width) || !isSize(height) || colorType === undefined) {
    throw new MettleError(
      'invalid-argument',
      `image.data must hold 1, 3 or 4 bytes per pixel of ${width} x ${height}, got ${data.length} bytes.`,
    );
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorType, 0, 0, 0], 8);
  const chunks = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filterRows(data, height, width * channels, channels), { level: 7 })),
    chunk('IEND', new Uint8Array(0)),
  ];
  return joinBytes(chunks);
}

const COLOR_TYPES: Record<number, number> = { 1: 0, 3: 2, 4: 6 };
const isSize = (value: number) => Number.isInteger(value) && value >= 1 && value <= 0x7fffffff;

/** Each row of `stride` bytes becomes its filter's number and the filtered bytes. */
function filterRows(data: Uint8Array | Uint8ClampedArray, rows: number, stride: number, channels: number): Uint8Array {
  const filtered = new Uint8Array(rows * (stride + 1));
  const candidates = FILTERS.map(() => new Uint8Array(stride));
  for (let row = 0; row < rows; row++) {
    const start = row * stride;
    const costs = FILTERS.map((predict, filter) => {
      const out = candidates[filter]!;
      let cost = 0;
      for (let i = 0; i < stride; i++) {
        const left = i >= channels ? data[start + i - channels]! : 0;
        const up = row > 0 ? data[start + i - stride]! : 0;
        const upLeft = row > 0 && i >= channels ? data[start + i - stride - channels]! : 0;
        const difference = (data[start + i]! - predict(left, up, upLeft)) & 0xff;
        out[i] = difference;
        cost += difference < 128 ? difference : 256 - difference;
      }
      return cost;
    });
    const best = costs.indexOf(Math.min(...costs));
    filtered[row * (stride + 1)] = best;
    filtered.set(candidates[best]!, row * (stride + 1) + 1);
  }
  return filtered;
}

/** The five filters of the PNG specification, section 9, by number. */
const FILTERS: ((left: number, up: number, upLeft: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, up) => up,
  (left, up) => (left + up) >> 1,
  (left, up, upLeft) => {
    const estimate = left + up - upLeft;
    const toLeft = Math.abs(estimate - left);
    const toUp = Math.abs(estimate - up);
    const toUpLeft = Math.abs(estimate - upLeft);
    if (toLeft <= toUp && toLeft <= toUpLeft) return left;
    return toUp <= toUpLeft ? up : upLeft;
  },
];

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** zlib.crc32 is younger than Node 20. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
