/** Calibrates a finished adapter folder from a data set on disk, into a new folder: its graphs, a measure of familiarity, temperatures, a scope, and figures of them. */
import type { AdapterManifest, Scope } from '../../contract/manifest.ts';
import type { Split } from '../../contract/split.ts';
import type { FeatureProgress } from '../../train/features/clip-features.ts';
import type { SilenceFigures } from '../../train/metrics/silence.ts';
import { calibrateAdapter } from '../../train/silence/calibrate.ts';
import { type FinishedWork, saveFinished, skippedOf, withFinished } from './finished.ts';
import { withSilence, withSilenceSection } from './silence-text.ts';

export type CalibrateRun = FinishedWork & {
  /** Replaces the adapter's. */
  scope?: Scope;
  onProgress?: (progress: FeatureProgress | { phase: 'calibration'; done: number; total: number }) => void;
};

export type CalibrateResult = {
  manifest: AdapterManifest;
  figures: Partial<Record<Split, SilenceFigures>>;
  skipped: { id: string; reason: string }[];
};

/** Throws what `calibrateAdapter`, `withFinished` and `saveFinished` throw. */
export async function calibrateOnDisk(run: CalibrateRun): Promise<CalibrateResult> {
  const { scope, signal, onProgress } = run;
  const reads = ({ segment }: AdapterManifest): readonly string[] => segment.reads;
  return await withFinished(run, reads, onProgress, async ({ adapter, base, runtime, features }) => {
    const { package: calibrated, figures } = await calibrateAdapter({
      ...{ adapter, base, runtime, features, scope, signal },
      onProgress: (progress) => onProgress?.({ phase: 'calibration', ...progress }),
    });
    const manifest = await saveFinished(run, calibrated, {
      card: (text) => withSilenceSection(text, calibrated.manifest, figures),
      reports: (reports) => withSilence(reports, figures),
    });
    return { manifest, figures, skipped: skippedOf(features) };
  });
}
