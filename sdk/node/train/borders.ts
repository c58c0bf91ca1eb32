/** Gives a finished adapter folder a border head, trained from a data set on disk that knows exact times, into a new folder. */

import type { AdapterManifest } from '../../contract/manifest.ts';
import { tapsReadBy } from '../../contract/taps.ts';
import { borderTaps } from '../../models/borders.ts';
import { type Bordered, trainBorders } from '../../train/borders/train-borders.ts';
import type { FeatureProgress } from '../../train/features/clip-features.ts';
import { withBorderSection, withBorders } from './borders-text.ts';
import { type FinishedWork, saveFinished, skippedOf, withFinished } from './finished.ts';

export type BordersRun = FinishedWork & {
  epochs?: number;
  seed?: number;
  onProgress?: (progress: FeatureProgress | { phase: 'borders'; done: number; total: number }) => void;
};

export type BordersResult = {
  manifest: AdapterManifest;
  figures: Bordered['figures'];
  skipped: { id: string; reason: string }[];
};

/** Throws what `trainBorders`, `withFinished` and `saveFinished` throw. */
export async function bordersOnDisk(run: BordersRun): Promise<BordersResult> {
  const { epochs, seed, signal, onProgress } = run;
  return await withFinished(
    run,
    (adapter, { taps, inputs }) => [
      ...new Set([
        ...tapsReadBy(adapter),
        ...(borderTaps(taps.audio, inputs.audio)?.taps ?? []).map(({ name }) => name),
      ]),
    ],
    onProgress,
    async ({ adapter, base, runtime, features }) => {
      const { package: bordered, figures } = await trainBorders({
        ...{ adapter, base, runtime, features, epochs, seed, signal },
        onProgress: (progress) => onProgress?.({ phase: 'borders', ...progress }),
      });
      const manifest = await saveFinished(run, bordered, {
        card: (text) => withBorderSection(text, bordered.manifest, figures),
        reports: (reports) => withBorders(reports, figures),
      });
      return { manifest, figures, skipped: skippedOf(features) };
    },
  );
}
