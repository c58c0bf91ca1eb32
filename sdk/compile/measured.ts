/** Compiles an adapter in small forms as long as its outputs stay those of float32, and tells what was measured of the forms that it got. */
import type { AdapterManifest, BackboneManifest } from '../contract/manifest.ts';
import type { Ort } from '../contract/runtime.ts';
import { type AdapterSource, compileAdapter } from './adapter.ts';
import type { Package } from './backbone.ts';
import { evaluate } from './evaluate.ts';
import type { Place } from './form-runs.ts';
import { exactForms, smallForms } from './variants.ts';
import { largestError, type PackageReport, reportForms } from './variants-report.ts';

/** Largest relative error of an output at which an adapter's weights go into 8 bits where nothing else is asked for. */
export const adapterTolerance = 1e-2;

export type MeasuredAdapter = {
  package: Package<AdapterManifest>;
  /** Of the forms in the package against float32, for `report.json`. */
  report: PackageReport;
  /** The largest relative error of 8-bit weights where it was too large, so that the package is in float32; else null. */
  refused: number | null;
};

/**
 * With `source.forms` in these, however far they are off; without in {@link smallForms} where no output is off by more than {@link adapterTolerance}, else in
 * float32. Runs all graphs on the CPU, and with a `place` takes their times there. Throws what `compileAdapter` throws.
 */
export async function compileMeasured(
  source: AdapterSource,
  base: BackboneManifest,
  ort: Ort,
  place?: Place,
): Promise<MeasuredAdapter> {
  const compile = (forms: AdapterSource['forms']) =>
    compileAdapter({ ...source, forms }, base, (values) => evaluate(ort, values));
  const exact = await compile(exactForms);
  const wanted = await compile(source.forms ?? smallForms);
  const report = await reportForms(ort, wanted, exact, place);
  const error = largestError(report);
  if (source.forms || error <= adapterTolerance) return { package: wanted, report, refused: null };
  return { package: exact, report: await reportForms(ort, exact, exact, place), refused: error };
}
