/**
 * Teaches a finished adapter where inside a second what it hears begins and ends: a small head over the frozen backbone's audio taps, trained from the exact times that the
 * data has. The adapter's own graphs and weights stay as they are. Knows no files.
 */
import { noFineTaps, withBorderHead } from '../../compile/borders.ts';
import type { AdapterManifest, BackboneManifest } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import type { Split } from '../../contract/split.ts';
import { MettleError } from '../../errors.ts';
import { type BorderTaps, borderTaps } from '../../models/borders.ts';
import type { Weights } from '../../models/params.ts';
import { decodeHalf } from '../../onnx/float16.ts';
import type { DatasetItem, ExactEvent } from '../data/types.ts';
import type { ClipFeatures } from '../features/clip-features.ts';
import type { Piece } from '../features/pieces.ts';
import type { BatchSource } from '../loop/batches.ts';
import { Predictor } from '../loop/predict.ts';
import { train } from '../loop/trainer.ts';
import { BorderErrors, type BorderFigures } from '../metrics/borders.ts';
import { PackageRunner } from '../silence/package-runner.ts';
import { answeredBorders, truthOf } from './judge.ts';
import { borderModel, heardParts } from './model.ts';

export type BorderTraining = {
  /** The adapter, every file of it. */
  adapter: ModelPackage<AdapterManifest>;
  base: BackboneManifest;
  runtime: Runtime;
  /** With the adapter's taps and those of {@link borderTaps} in them. */
  features: Pick<ClipFeatures, 'pieces' | 'failed' | 'taps' | 'indexOf'>;
  /** Clips per step. Default 8. */
  batch?: number;
  /** Passes over the training split. Default 12. */
  epochs?: number;
  /** Decides starting weights and order. Default 1. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
};

export type Bordered = {
  /** Every file of it but documents, `manifest.json` included. */
  package: ModelPackage<AdapterManifest>;
  /** On what the adapter found by itself. */
  figures: Partial<Record<Split, BorderFigures>>;
};

/** Borders nearer than this to whole seconds teach nothing that labels of whole seconds do not, in seconds. */
const nearWhole = 0.02;
const rate = 2e-3;

/** Whether the data knows borders of heard events inside of seconds. */
export const hasFineBorders = (items: readonly Pick<DatasetItem, 'events'>[]): boolean =>
  items.some(({ events = [] }) =>
    events.some(
      ({ modality, onset, offset }) =>
        modality !== 'visual' && [onset, offset].some((time) => Math.abs(time - Math.round(time)) > nearWhole),
    ),
  );

/** Throws `invalid-argument` for masks, data whose borders are whole seconds, and backbones with nothing finer than a second. */
export async function trainBorders(request: BorderTraining): Promise<Bordered> {
  const { adapter, base, runtime, features, signal, batch = 8, epochs = 12, seed = 1 } = request;
  const { manifest } = adapter;
  const fine = borderTaps(base.taps.audio, base.inputs.audio);
  if (!fine) throw noFineTaps(base.id);
  const usable = features.pieces.filter(({ id }) => !features.failed.has(id));
  const inSplit = (name: Split): Piece[] => usable.filter(({ split, events }) => split === name && events);
  if (manifest.task === 'segment' || !hasFineBorders(inSplit('train'))) {
    throw new MettleError(
      'invalid-argument',
      'The training clips have no heard event that begins or ends inside of a second.',
      {
        hint: 'Write exact times into events.csv, such as 2.37; adapters for localize and parse learn from them.',
      },
    );
  }
  const lessons = new Lessons(request, fine);
  const { segments } = lessons;
  const model = borderModel(fine, { segments, classes: manifest.classes.length });
  const learned = inSplit('train');
  const result = await train({
    ...{ runtime, model, batch, epochs, seed, signal },
    data: lessons.of(learned),
    schedule: { rate },
    onProgress: ({ step, steps }) => request.onProgress?.({ done: step, total: steps }),
  });
  const bordered = await withBorderHead(adapter, base, result.weights, runtime.ort);
  const figures: Bordered['figures'] = {};
  const predictor = await Predictor.open(runtime, model, batch);
  try {
    for (const split of ['val', 'test'] as const) {
      const pieces = inSplit(split);
      if (pieces.length > 0) figures[split] = await judge(request, fine, lessons, predictor, result.weights, pieces);
    }
  } finally {
    await predictor.dispose();
  }
  return { package: bordered, figures };
}

/** Pieces as examples. */
class Lessons {
  readonly #request: BorderTraining;
  readonly #fine: BorderTaps;
  readonly segments: number;

  constructor(request: BorderTraining, fine: BorderTaps) {
    this.#request = request;
    this.#fine = fine;
    this.segments = request.adapter.manifest.clip?.segments ?? 10;
  }

  of(pieces: readonly Piece[]): BatchSource {
    const { features, adapter, signal } = this.#request;
    const { taps, steps } = this.#fine;
    return {
      size: pieces.length,
      id: (index) => pieces[index]!.id,
      read: async (index) => {
        const piece = pieces[index]!;
        const kept = await features.taps.read(
          features.indexOf(piece),
          taps.map(({ name }) => name),
          signal,
        );
        const there = Math.min(kept.seconds, piece.seconds, this.segments);
        const size = { segments: this.segments, there, steps, classes: adapter.manifest.classes.length };
        const read = taps.map(({ name, tokens, width }) => {
          const all = new Float32Array(this.segments * tokens * width);
          const given = kept.taps[name]!;
          const whole = given instanceof Uint16Array ? decodeHalf(given) : given;
          all.set(whole.subarray(0, there * tokens * width));
          return [name, all] as const;
        });
        return { ...Object.fromEntries(read), heard: heardParts(piece.events!, size) };
      },
    };
  }
}

/** On the adapter's own answers, with and without what the head says. */
async function judge(
  { adapter, base, runtime, features, signal }: BorderTraining,
  fine: BorderTaps,
  lessons: Lessons,
  predictor: Predictor,
  weights: Weights,
  pieces: readonly Piece[],
): Promise<BorderFigures> {
  const { manifest } = adapter;
  const errors = new BorderErrors();
  const runner = await PackageRunner.open(runtime, adapter, base);
  try {
    await predictor.each(
      weights,
      lessons.of(pieces),
      async ({ borders }, index) => {
        const piece = pieces[index]!;
        const kept = await features.taps.read(features.indexOf(piece), manifest.segment.reads, signal);
        const said = await runner.run(kept, Math.min(piece.seconds, kept.seconds));
        const size = fine.steps * manifest.classes.length;
        const heard = Array.from({ length: said.seconds }, (_, second) =>
          borders!.subarray(second * size, (second + 1) * size),
        );
        const told = { ...manifest, borders: { reads: [], steps: fine.steps } };
        const { coarse, finer } = answeredBorders(told, said.outputs, heard);
        errors.add(coarse, finer, truthOf(manifest.task, piece.events as ExactEvent[]), said.seconds);
      },
      signal,
    );
  } finally {
    await runner.dispose();
  }
  return errors.figures();
}
