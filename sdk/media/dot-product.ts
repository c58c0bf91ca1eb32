/**
 * The inner loop of the resampler as a WebAssembly function of thirty instructions, assembled below so that it can be read: the dot product of two runs of float64 in one
 * memory, two at a time (fixed-width SIMD, which the runtime of the models needs too). Sums are made in one order everywhere, so a page and Node get the same bits.
 */

export interface DotProduct {
  /** All of the memory, for the caller to fill. */
  readonly memory: Float64Array<ArrayBuffer>;
  /** The sum of `memory[a + k] * memory[b + k]` over `k < length`; `length` is a multiple of 8 above 0. */
  dot(a: number, b: number, length: number): number;
}

/** Elements that one round of the loop takes: four vectors of two. */
export const dotStep = 8;

const pageBytes = 65_536;

/** A memory of at least `elements` zeros, and the function that reads it. */
export function createDotProduct(elements: number): DotProduct {
  const pages = Math.ceil((elements * 8) / pageBytes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(pages)));
  const run = exports.dot as (a: number, b: number, bytes: number) => number;
  return {
    memory: new Float64Array((exports.memory as WebAssembly.Memory).buffer as ArrayBuffer),
    dot: (a, b, length) => run(a * 8, b * 8, length * 8),
  };
}

const [i32, f64, v128] = [0x7f, 0x7c, 0x7b] as const;
const simd = (code: number) => [0xfd, ...unsigned(code)];
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const addConstant = (local: number, value: number) => [...get(local), 0x41, ...signed(value), 0x6a, ...set(local)];
/** `v128.load` of the address in `local`, `offset` bytes on; aligned to 8. */
const load = (local: number, offset: number) => [...get(local), ...simd(0), 3, ...unsigned(offset)];
const [addPairs, multiplyPairs] = [simd(0xf0), simd(0xf2)];
const lane = (index: number) => [...simd(0x21), index];

/** Locals 0 to 2 are the parameters a, b and bytes; 3 to 6 are sums of two lanes each. */
function dotBody(): number[] {
  const sums = [3, 4, 5, 6];
  const round = sums.flatMap((sum, i) => [
    ...get(sum),
    ...load(0, 16 * i),
    ...load(1, 16 * i),
    ...multiplyPairs,
    ...addPairs,
    ...set(sum),
  ]);
  const bytes = 8 * dotStep;
  const step = [...addConstant(0, bytes), ...addConstant(1, bytes), ...addConstant(2, -bytes)];
  const loop = [0x03, 0x40, ...round, ...step, ...get(2), 0x0d, 0, 0x0b];
  const [first, second, third, fourth] = sums.map(get) as [number[], number[], number[], number[]];
  const pairs = [...first, ...second, ...addPairs, ...third, ...fourth, ...addPairs, ...addPairs, ...set(3)];
  const total = [...get(3), ...lane(0), ...get(3), ...lane(1), 0xa0];
  return [1, sums.length, v128, ...loop, ...pairs, ...total, 0x0b];
}

/** The binary format of the WebAssembly core specification 2.0, chapter 5. */
function moduleBytes(pages: number): Uint8Array<ArrayBuffer> {
  const body = dotBody();
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, i32, i32, i32, 1, f64]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('dot'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
