/** The features of a training's clips, read as examples. */
import type { Tap } from '../../contract/manifest.ts';
import { mapsToGuide, tapsRead } from '../../models/adapter.ts';
import { type BorderTaps, borderTaps } from '../../models/borders.ts';
import { hasFineBorders } from '../borders/train-borders.ts';
import { type ClipFeatures, openClipFeatures } from '../features/clip-features.ts';
import { type ExampleOptions, examplesOf } from '../features/examples.ts';
import type { Piece } from '../features/pieces.ts';
import type { BatchSource } from '../loop/batches.ts';
import type { AdapterTraining } from './training.ts';

export type Features = ClipFeatures & {
  examples(pieces: readonly Piece[], learning?: Pick<ExampleOptions, 'config' | 'supervisedOnly'>): BatchSource;
};

/** Of the taps that the adapter reads, in pieces as long as it sees at once. */
export async function openFeatures(options: AdapterTraining): Promise<Features> {
  const { config, backbone, signal } = options;
  const { taps } = backbone.manifest;
  const names = tapsRead(taps, config);
  const all = [...new Set([...names, ...(bordersToLearn(options)?.taps ?? []).map(({ name }) => name)])];
  const features = await openClipFeatures(options, { names: all, segments: config.segments });
  const read = [...taps.visual, ...taps.audio].filter((tap) => names.includes(tap.name));
  const sizes = new Map(read.map((tap: Tap) => [tap.name, tap.tokens * tap.width]));
  return {
    ...features,
    examples: (items, learning) =>
      examplesOf({
        items,
        config,
        taps: sizes,
        cache: features.taps,
        indexOf: features.indexOf,
        maskSize: maskSizeOf(options),
        readMask: features.readMask,
        ...learning,
        signal,
      }),
  };
}

/** What a border head would read, where the data has something for it to learn. */
export function bordersToLearn({ config, backbone, dataset }: AdapterTraining): BorderTaps | null {
  if (config.task === 'segment' || !hasFineBorders(dataset.items)) return null;
  const { taps, inputs } = backbone.manifest;
  return borderTaps(taps.audio, inputs.audio);
}

/** Size of the masks that the model predicts; none for other tasks. */
export function maskSizeOf({ config, backbone }: AdapterTraining): { width: number; height: number } | undefined {
  if (config.task !== 'segment') return undefined;
  const [rows, columns] = mapsToGuide(backbone.manifest.taps.visual)[0]!.grid;
  return { width: 4 * columns, height: 4 * rows };
}
