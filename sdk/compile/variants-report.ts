/** What `report.json` of a package says: how far its forms are from float32, what they weigh and how long they take, measured by running them side by side. */
import type { AdapterManifest, BackboneManifest, GraphFiles } from '../contract/manifest.ts';
import type { Ort } from '../contract/runtime.ts';
import type { Package } from './backbone.ts';
import { compareForms, type FormReport, type Place, type RunnableForm } from './form-runs.ts';

/** By part (`visual`, `audio`; `segment`, `clip`) and graph file. */
export type PackageReport = Record<string, Record<string, FormReport>>;

type AnyPackage = Package<BackboneManifest> | Package<AdapterManifest>;

/** Inputs of seeded noise that each graph is run on. */
const inputs = 4;

/**
 * Compares every form in `shipped` with `reference`, the same model compiled in float32, on the CPU. With a `place`, also how long they take there.
 * Errors of the runtime pass through.
 */
export async function reportForms(
  ort: Ort,
  shipped: AnyPackage,
  reference: AnyPackage,
  place?: Place,
): Promise<PackageReport> {
  const report: PackageReport = {};
  for (const [part, exact] of Object.entries<GraphFiles | null>(reference.manifest.variants.wasm)) {
    if (!exact) continue;
    const forms: Record<string, RunnableForm> = {};
    for (const graphs of Object.values<Record<string, GraphFiles | null>>(shipped.manifest.variants)) {
      const form = graphs[part]!;
      forms[form.graph] ??= formIn(ort, shipped, form);
    }
    report[part] = await compareForms(formIn(ort, reference, exact), forms, { ort, seed: part, inputs, place });
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

/** The times of a report in one line, for a card; empty where none were asked for. */
export function speedText(report: PackageReport): string {
  const forms = Object.values(report).flatMap((part) => Object.entries(part));
  const times = forms.flatMap(([graph, { speed }]) => {
    if (!speed) return [];
    const name = graph.replace(/\.onnx$/, '');
    if (speed.ms === null) return [`${name} not measured`];
    return [`${name} ${speed.ms.toFixed(speed.ms < 100 ? 1 : 0)} ms (${speed.ratio.toFixed(2)} of float32)`];
  });
  const place = forms[0]?.[1].speed?.place;
  if (!place) return '';
  const threads = place.threads === 1 ? 'one thread' : `${place.threads} threads`;
  return `Time of a segment: ${times.join(', ')}. Measured on ${place.device} with ${threads} of ${place.machine} (report.json).`;
}

function formIn(ort: Ort, { files }: AnyPackage, { graph, weights, precision = 'float32' }: GraphFiles): RunnableForm {
  return {
    precision,
    bytes: files[graph]!.byteLength + files[weights]!.byteLength,
    open: (options) =>
      ort.InferenceSession.create(files[graph]!, {
        ...options,
        externalData: [{ path: weights, data: files[weights]! }],
      }),
  };
}
