/** How far the forms of a package are from its float32 form, and what they weigh: measured by running both. Not about speed. */
import type { Tensor } from 'onnxruntime-common';
import type { AdapterManifest, BackboneManifest, GraphFiles, Precision } from '../hub/manifest.ts';
import type { Ort } from '../platform.ts';
import { gaussian, seededRandom } from '../random.ts';
import type { Package } from './backbone.ts';

/** Distance of an output from that of float32, over all its numbers and all inputs. */
export type OutputError = {
  /** Length of the difference over the length of the reference. */
  relativeError: number;
  cosine: number;
};

export type FormReport = {
  precision: Precision;
  /** Bytes of graph and weights; graphs of one part and form may share the latter. */
  bytes: number;
  /** By name. */
  outputs: Record<string, OutputError>;
};

/** By part (`visual`, `audio`; `segment`, `clip`) and graph file. */
export type PackageReport = Record<string, Record<string, FormReport>>;

type AnyPackage = Package<BackboneManifest> | Package<AdapterManifest>;

/** Inputs of seeded noise that each graph is run on. */
const runs = 4;

/** Compares every form in `shipped` with `reference`, the same model compiled in float32, on the CPU. */
export async function reportForms(ort: Ort, shipped: AnyPackage, reference: AnyPackage): Promise<PackageReport> {
  const report: PackageReport = {};
  for (const [part, exact] of Object.entries<GraphFiles | null>(reference.manifest.variants.wasm)) {
    if (!exact) continue;
    const expected = await runOnNoise(ort, reference.files, exact, part);
    const forms: Record<string, FormReport> = {};
    for (const graphs of Object.values<Record<string, GraphFiles | null>>(shipped.manifest.variants)) {
      const form = graphs[part]!;
      if (forms[form.graph]) continue;
      const actual = await runOnNoise(ort, shipped.files, form, part);
      forms[form.graph] = {
        precision: form.precision ?? 'float32',
        bytes: shipped.files[form.graph]!.byteLength + shipped.files[form.weights]!.byteLength,
        outputs: Object.fromEntries(
          Object.entries(expected).map(([name, arrays]) => [name, errorOf(actual[name]!, arrays)]),
        ),
      };
    }
    report[part] = forms;
  }
  return report;
}

/** The largest relative error in a report. */
export function largestError(report: PackageReport): number {
  const forms = Object.values(report).flatMap((part) => Object.values(part));
  return Math.max(...forms.flatMap(({ outputs }) => Object.values(outputs).map((output) => output.relativeError)));
}

/** The smallest cosine of one form. */
export function smallestCosine({ outputs }: FormReport): number {
  return Math.min(...Object.values(outputs).map((output) => output.cosine));
}

/** `actual` against `expected`, arrays of one output for several inputs. */
export function errorOf(actual: readonly Float32Array[], expected: readonly Float32Array[]): OutputError {
  let [product, mine, theirs, difference] = [0, 0, 0, 0];
  expected.forEach((array, s) => {
    array.forEach((y, i) => {
      const x = actual[s]![i]!;
      product += x * y;
      mine += x * x;
      theirs += y * y;
      difference += (x - y) ** 2;
    });
  });
  return { relativeError: Math.sqrt(difference / theirs), cosine: product / Math.sqrt(mine * theirs) };
}

/** Outputs by name, one array per input; every second is there (`mask` is one). */
async function runOnNoise(
  ort: Ort,
  files: Readonly<Record<string, Uint8Array>>,
  { graph, weights }: GraphFiles,
  seed: string,
): Promise<Record<string, Float32Array[]>> {
  const session = await ort.InferenceSession.create(files[graph]!, {
    externalData: [{ path: weights, data: files[weights]! }],
    logSeverityLevel: 3,
  });
  const outputs: Record<string, Float32Array[]> = Object.fromEntries(session.outputNames.map((name) => [name, []]));
  try {
    for (let run = 0; run < runs; run++) {
      const feeds: Record<string, Tensor> = {};
      for (const input of session.inputMetadata) {
        if (!input.isTensor) continue;
        const shape = input.shape.map(Number);
        const random = seededRandom(`${seed} ${input.name} ${run}`);
        const length = shape.reduce((product, size) => product * size, 1);
        const data = Float32Array.from({ length }, () => (input.name === 'mask' ? 1 : gaussian(random)));
        feeds[input.name] = new ort.Tensor('float32', data, shape);
      }
      const results = await session.run(feeds);
      for (const [name, tensor] of Object.entries(results)) outputs[name]!.push(tensor.data as Float32Array);
    }
  } finally {
    await session.release();
  }
  return outputs;
}
