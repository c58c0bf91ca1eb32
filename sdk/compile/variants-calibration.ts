/** What the large products of a network see when it runs: error-aware rounding learns from it. Needs a runtime, and all weights in memory. */
import { concatenate } from '../arrays.ts';
import type { Ort } from '../contract/runtime.ts';
import { type Calibration, productsToQuantize, type Quantization } from '../onnx/quantize/quantize.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { inputOp, reachable, type Shape, sizeOf, type Value } from '../ops/index.ts';
import { gaussian, seededRandom } from '../random.ts';

/** An input of a network, by name. */
export type Sample = Record<string, Float32Array>;

/** Rows kept of each product's inputs: a few times the widest inner axis of small networks. */
const defaultRows = 4096;

/** Runs `outputs` (constants folded) on each sample and keeps up to `rows` rows [K] of each product's inputs, evenly from all samples. */
export async function calibrate(
  ort: Ort,
  outputs: Record<string, Value>,
  quantization: Quantization,
  samples: readonly Sample[],
  rows = defaultRows,
): Promise<Calibration> {
  const products = productsToQuantize(outputs, quantization);
  const seen = new Map(products.map(({ inputs }) => [`seen/${inputs[1]!.name}`, inputs[0]!]));
  const inputs = reachable([...seen.values()]).filter((value) => value.op === inputOp);
  const session = await ort.InferenceSession.create(writeOnnx(Object.fromEntries(seen)), { logSeverityLevel: 4 });
  const kept = new Map<string, Float32Array[]>([...seen.keys()].map((name) => [name, []]));
  try {
    for (const sample of samples) {
      const feeds = inputs.map(({ name, shape }) => [name, new ort.Tensor('float32', sample[name]!, [...shape])]);
      const results = await session.run(Object.fromEntries(feeds));
      for (const [name, { data, dims }] of Object.entries(results)) {
        kept.get(name)!.push(someRows(data as Float32Array, dims.at(-1)!, Math.ceil(rows / samples.length)));
      }
    }
  } finally {
    await session.release();
  }
  return new Map([...kept].map(([name, parts]) => [name.slice('seen/'.length), concatenate(parts)]));
}

/** Noise of unit deviation, the same for the same seed: what stands for normalised pictures and sounds where there are none. */
export function noiseSamples(outputs: Record<string, Value>, count: number, seed: number): Sample[] {
  const inputs = reachable(Object.values(outputs)).filter((value) => value.op === inputOp);
  const noise = (name: string, shape: Shape): Float32Array => {
    const random = seededRandom(`${seed} ${name}`);
    return Float32Array.from({ length: sizeOf(shape) }, () => gaussian(random));
  };
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(inputs.map(({ name, shape }) => [name, noise(`${name} ${i}`, shape)])),
  );
}

/** At most `count` rows, evenly spaced. */
function someRows(data: Float32Array, width: number, count: number): Float32Array {
  const rows = data.length / width;
  if (rows <= count) return data.slice();
  const picked = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * rows) / count);
    picked.set(data.subarray(row * width, (row + 1) * width), i * width);
  }
  return picked;
}
