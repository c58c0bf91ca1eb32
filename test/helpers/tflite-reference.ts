/** TensorFlow Lite's arithmetic in plain loops, channels last: the reference that converted networks are compared with. */

/** [rows, columns, channels] of one picture. */
export type Map3 = { shape: [number, number, number]; data: Float32Array };

export type Conv = { stride: number; same: boolean; dilation?: number; least?: number; most?: number };

/** How many places `same` adds before a map: half of what is missing, rounded down. */
function before(length: number, size: number, { stride, same, dilation = 1 }: Conv): number {
  if (!same) return 0;
  return Math.floor(Math.max(0, (Math.ceil(length / stride) - 1) * stride + (size - 1) * dilation + 1 - length) / 2);
}

const outLength = (length: number, size: number, { stride, same, dilation = 1 }: Conv): number =>
  same ? Math.ceil(length / stride) : Math.ceil((length - (size - 1) * dilation) / stride);

/** Visits every place of the output and, for it, every place of the window that lies inside the map. */
function windows(
  map: Map3,
  [kernelRows, kernelColumns]: [number, number],
  how: Conv,
  visit: (out: [number, number], at: [number, number], tap: [number, number]) => void,
): [number, number] {
  const [rows, columns] = map.shape;
  const { stride, dilation = 1 } = how;
  const sizes: [number, number] = [outLength(rows, kernelRows, how), outLength(columns, kernelColumns, how)];
  for (let y = 0; y < sizes[0]; y++) {
    for (let x = 0; x < sizes[1]; x++) {
      for (let ky = 0; ky < kernelRows; ky++) {
        for (let kx = 0; kx < kernelColumns; kx++) {
          const row = y * stride - before(rows, kernelRows, how) + ky * dilation;
          const column = x * stride - before(columns, kernelColumns, how) + kx * dilation;
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          visit([y, x], [row, column], [ky, kx]);
        }
      }
    }
  }
  return sizes;
}

const clamp = (x: number, { least = -Infinity, most = Infinity }: Conv): number => Math.min(most, Math.max(least, x));

/** `filter` [out, rows, columns, in]. */
export function conv(map: Map3, filter: Float32Array, shape: number[], bias: Float32Array | null, how: Conv): Map3 {
  const [outs, kernelRows, kernelColumns, ins] = shape as [number, number, number, number];
  const channels = map.shape[2];
  const width = outLength(map.shape[1], kernelColumns, how);
  const data = new Float64Array(outLength(map.shape[0], kernelRows, how) * width * outs);
  const perGroup = outs / (channels / ins);
  const sizes = windows(map, [kernelRows, kernelColumns], how, ([y, x], [row, column], [ky, kx]) => {
    for (let o = 0; o < outs; o++) {
      const first = Math.floor(o / perGroup) * ins;
      for (let i = 0; i < ins; i++) {
        const weight = filter[((o * kernelRows + ky) * kernelColumns + kx) * ins + i]!;
        data[(y * width + x) * outs + o]! += weight * map.data[(row * map.shape[1] + column) * channels + first + i]!;
      }
    }
  });
  const added = Float32Array.from(data, (x, i) => clamp(x + (bias?.[i % outs] ?? 0), how));
  return { shape: [...sizes, outs], data: added };
}

/** `filter` [1, rows, columns, channels x multiplier]. */
export function depthwise(map: Map3, filter: Float32Array, shape: number[], how: Conv): Map3 {
  const [, kernelRows, kernelColumns, outs] = shape as [number, number, number, number];
  const channels = map.shape[2];
  const width = outLength(map.shape[1], kernelColumns, how);
  const data = new Float64Array(outLength(map.shape[0], kernelRows, how) * width * outs);
  const sizes = windows(map, [kernelRows, kernelColumns], how, ([y, x], [row, column], [ky, kx]) => {
    for (let o = 0; o < outs; o++) {
      const channel = Math.floor(o / (outs / channels));
      data[(y * width + x) * outs + o]! +=
        filter[(ky * kernelColumns + kx) * outs + o]! * map.data[(row * map.shape[1] + column) * channels + channel]!;
    }
  });
  return { shape: [...sizes, outs], data: Float32Array.from(data, (x) => clamp(x, how)) };
}

/** Places that padding added do not count. */
export function pool(map: Map3, size: number, how: Conv, kind: 'mean' | 'max'): Map3 {
  const channels = map.shape[2];
  const width = outLength(map.shape[1], size, how);
  const length = outLength(map.shape[0], size, how) * width * channels;
  const data = new Float64Array(length).fill(kind === 'max' ? -Infinity : 0);
  const counts = new Float64Array(length);
  const sizes = windows(map, [size, size], how, ([y, x], [row, column]) => {
    for (let c = 0; c < channels; c++) {
      const at = (y * width + x) * channels + c;
      const value = map.data[(row * map.shape[1] + column) * channels + c]!;
      data[at] = kind === 'max' ? Math.max(data[at]!, value) : data[at]! + value;
      counts[at]!++;
    }
  });
  return {
    shape: [...sizes, channels],
    data: Float32Array.from(data, (x, i) => (kind === 'max' ? x : x / counts[i]!)),
  };
}

/** Half pixels and aligned corners as the format's options have them. */
export function bilinear(map: Map3, rows: number, columns: number, how: 'half' | 'corners' | 'plain'): Map3 {
  const [fromRows, fromColumns, channels] = map.shape;
  const place = (at: number, from: number, to: number): [number, number, number] => {
    const step = how === 'corners' ? (from - 1) / Math.max(1, to - 1) : from / to;
    const x = Math.max(0, how === 'half' ? (at + 0.5) * step - 0.5 : at * step);
    const low = Math.min(from - 1, Math.floor(x));
    return [low, Math.min(from - 1, low + 1), x - low];
  };
  const data = new Float32Array(rows * columns * channels);
  for (let y = 0; y < rows; y++) {
    const [top, bottom, down] = place(y, fromRows, rows);
    for (let x = 0; x < columns; x++) {
      const [left, right, along] = place(x, fromColumns, columns);
      for (let c = 0; c < channels; c++) {
        const at = (row: number, column: number): number => map.data[(row * fromColumns + column) * channels + c]!;
        const upper = at(top, left) * (1 - along) + at(top, right) * along;
        const lower = at(bottom, left) * (1 - along) + at(bottom, right) * along;
        data[(y * columns + x) * channels + c] = upper * (1 - down) + lower * down;
      }
    }
  }
  return { shape: [rows, columns, channels], data };
}

/** Channels first, as the converted network gives it. */
export function channelsFirst({ shape: [rows, columns, channels], data }: Map3): Float32Array {
  return Float32Array.from({ length: data.length }, (_, i) => {
    const [channel, place] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    return data[place * channels + channel]!;
  });
}
