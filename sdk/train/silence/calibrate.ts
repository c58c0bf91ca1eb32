/**
 * Teaches a finished adapter when to keep silent and how sure to sound: a measure of familiarity from the meta-tokens of its training seconds, a threshold and
 * temperatures from the validation split, and figures on the test split. Its graphs and weights stay as they are; an older package of masks gets its meta-tokens as
 * outputs. Knows no files.
 */
import { finishManifest, manifestText } from '../../compile/package.ts';
import { withTokenOutputs } from '../../compile/token-outputs.ts';
import { type SensesFamiliarity, senses } from '../../contract/familiar.ts';
import type { AdapterManifest, BackboneManifest, Scope, Sense } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import type { Split } from '../../contract/split.ts';
import { tokensOf } from '../../contract/tokens.ts';
import { distanceTo, type Measure, shareBeyond, writeMeasure } from '../../engine/familiarity.ts';
import { MettleError } from '../../errors.ts';
import { sensesOf } from '../../tasks/silence.ts';
import type { ClipFeatures } from '../features/clip-features.ts';
import type { Piece } from '../features/pieces.ts';
import type { SilenceFigures } from '../metrics/silence.ts';
import { type Answer, answersOf, type JudgedClip } from './answers.ts';
import { fitSense, levelsOf } from './fit-measure.ts';
import { calibrationBins, calibrationError, fitSigmoid, fitSoftmax } from './fit-temperature.ts';
import { PackageRunner } from './package-runner.ts';

/** Share of the right answers about validation clips that the threshold may cost. Clips of another split differ more, and lose about twice as much (measured on the toybox). */
const mostLost = 0.03;

/** Training seconds that the measure is fitted to at most: more of them change nothing that shows. */
const mostSeconds = 8000;

export const familiarityFile = 'familiarity.safetensors';

export type CalibrationRequest = {
  /** The adapter, every file of it. */
  adapter: ModelPackage<AdapterManifest>;
  base: BackboneManifest;
  runtime: Runtime;
  features: Pick<ClipFeatures, 'pieces' | 'failed' | 'taps' | 'indexOf' | 'readMask'>;
  /** Replaces the adapter's. */
  scope?: Scope;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
};

export type Calibrated = {
  /** Every file of it but documents, `manifest.json` included. */
  package: ModelPackage<AdapterManifest>;
  figures: Partial<Record<Split, SilenceFigures>>;
};

/** Throws `invalid-argument` where the data has too few training seconds or no validation clips, or no sense that counts has meta-tokens. */
export async function calibrateAdapter(request: CalibrationRequest): Promise<Calibrated> {
  const { features, scope, runtime } = request;
  const adapter = await withTokenOutputs(request.adapter, runtime.ort);
  const draft: AdapterManifest = {
    ...adapter.manifest,
    scope: scope ?? adapter.manifest.scope,
    familiarity: null,
    calibration: null,
  };
  const usable = features.pieces.filter(({ id }) => !features.failed.has(id));
  const runner = await PackageRunner.open(runtime, adapter, request.base);
  try {
    const parts = {
      train: spread(usable.filter(({ split }) => split === 'train')),
      val: usable.filter(({ split }) => split === 'val'),
      test: usable.filter(({ split }) => split === 'test'),
    };
    const passes = new Passes(request, runner, parts.train.length + parts.val.length + parts.test.length);
    const measure = fitMeasure(await tokensIn(passes, parts.train), draft);
    const validation = await judgedClips(passes, parts.val);
    const fitted = withLevels(measure, validation);
    const familiar = rejudged(validation, fitted);
    const manifest = await decide(draft, familiar, features);
    const test = rejudged(await judgedClips(passes, parts.test), fitted);
    const figures: Calibrated['figures'] = {};
    for (const [split, clips] of [
      ['val', familiar],
      ['test', test],
    ] as const) {
      if (clips.length > 0) figures[split] = await figuresOf(manifest, clips, features);
    }
    return { package: await packed(manifest, adapter, fitted), figures };
  } finally {
    await runner.dispose();
  }
}

/** Runs the adapter over pieces and counts them. */
class Passes {
  #done = 0;

  constructor(
    readonly request: CalibrationRequest,
    readonly runner: PackageRunner,
    readonly total: number,
  ) {}

  async run(piece: Piece) {
    const { features, adapter, signal, onProgress } = this.request;
    signal?.throwIfAborted();
    const kept = await features.taps.read(features.indexOf(piece), adapter.manifest.segment.reads, signal);
    const said = await this.runner.run(kept, piece.seconds);
    onProgress?.({ done: ++this.#done, total: this.total });
    return said;
  }
}

/** Evenly chosen, as many as hold `mostSeconds`. */
function spread(pieces: readonly Piece[]): Piece[] {
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
  const step = Math.max(1, seconds / mostSeconds);
  return Array.from({ length: Math.floor(pieces.length / step) }, (_, i) => pieces[Math.floor(i * step)]!);
}

type Tokens = Record<Sense, Float64Array[]>;
type FittedSense = ReturnType<typeof fitSense>;
type FittedMeasure = Record<Sense, FittedSense | null>;

async function tokensIn(passes: Passes, pieces: readonly Piece[]): Promise<Tokens> {
  const all: Tokens = { audio: [], visual: [] };
  for (const piece of pieces) {
    const { tokens } = await passes.run(piece);
    for (const sense of senses) all[sense].push(...tokens[sense]);
  }
  return all;
}

function fitMeasure(tokens: Tokens, { id, scope, segment }: AdapterManifest): FittedMeasure {
  const counted = sensesOf(scope).filter((sense) => segment.outputs.some(({ name }) => name === tokensOf[sense]));
  if (counted.length === 0) {
    throw new MettleError('invalid-argument', `Adapter "${id}" has no meta-tokens of the senses that count.`, {
      hint: 'Familiarity is told by meta-tokens: train the adapter with them, and of a sense that its scope names.',
    });
  }
  const fittedOf = (sense: Sense) => (counted.includes(sense) ? fitSense(tokens[sense]) : null);
  return { audio: fittedOf('audio'), visual: fittedOf('visual') };
}

type Distanced = JudgedClip & { tokens: Tokens };

async function judgedClips(passes: Passes, pieces: readonly Piece[]): Promise<Distanced[]> {
  const clips: Distanced[] = [];
  for (const item of pieces) {
    const said = await passes.run(item);
    clips.push({ item, said, tokens: said.tokens, familiarity: [] });
  }
  return clips;
}

function withLevels(measure: FittedMeasure, clips: readonly Distanced[]): Measure {
  const finish = (sense: Sense) => {
    const fitted = measure[sense];
    return (
      fitted && {
        ...fitted,
        levels: levelsOf(
          fitted,
          clips.flatMap(({ tokens }) => tokens[sense]),
        ),
      }
    );
  };
  return { audio: finish('audio'), visual: finish('visual') };
}

/** With what the measure says of each second. */
function rejudged(clips: readonly Distanced[], measure: Measure): JudgedClip[] {
  return clips.map((clip) => {
    const of = (sense: Sense, second: number): number | null => {
      const own = measure[sense];
      return own && shareBeyond(own.levels, distanceTo(own, clip.tokens[sense][second]!));
    };
    const familiarity = Array.from(
      { length: clip.said.seconds },
      (_, second): SensesFamiliarity => ({ audio: of('audio', second), visual: of('visual', second) }),
    );
    return { ...clip, familiarity };
  });
}

async function allAnswers(
  manifest: AdapterManifest,
  clips: readonly JudgedClip[],
  { readMask }: Pick<ClipFeatures, 'readMask'>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const clip of clips) answers.push(...(await answersOf(clip, { manifest, readMask })));
  return answers;
}

/** Temperatures, and the familiarity from which on answers count. */
async function decide(
  draft: AdapterManifest,
  clips: readonly JudgedClip[],
  features: Pick<ClipFeatures, 'readMask'>,
): Promise<AdapterManifest> {
  const answers = await allAnswers(draft, clips, features);
  const calibration = fitCalibration(draft, clips, answers);
  const right = (await allAnswers({ ...draft, calibration }, clips, features)).filter((answer) => answer.right);
  const known = right.flatMap(({ familiarity }) => familiarity ?? []).sort((a, b) => a - b);
  const least = known[Math.floor(mostLost * known.length)] ?? mostLost;
  return { ...draft, calibration, familiarity: { file: familiarityFile, least } };
}

function fitCalibration(
  { task, classes }: AdapterManifest,
  clips: readonly JudgedClip[],
  answers: readonly Answer[],
): NonNullable<AdapterManifest['calibration']> {
  const raw = (sense: Sense | null) =>
    answers.filter((answer) => answer.sense === sense).flatMap((answer) => answer.raw);
  if (task === 'parse') return { audio: fitSigmoid(raw('audio'), true), visual: fitSigmoid(raw('visual'), true) };
  if (task === 'segment') return { both: fitSigmoid(raw(null), false) };
  const width = classes.length + 1;
  const rows = clips.flatMap(({ item, said }) => {
    if (item.labels.task !== 'localize') return [];
    const { data } = said.outputs.logits!;
    const { seconds } = item.labels;
    return Array.from({ length: Math.min(seconds.length, said.seconds) }, (_, second) => ({
      logits: data.subarray(second * width, (second + 1) * width),
      label: seconds[second]!,
    }));
  });
  return { both: fitSoftmax(rows) };
}

async function figuresOf(
  manifest: AdapterManifest,
  clips: readonly JudgedClip[],
  features: Pick<ClipFeatures, 'readMask'>,
): Promise<SilenceFigures> {
  const { least } = manifest.familiarity!;
  const plain = await allAnswers({ ...manifest, calibration: null }, clips, features);
  const answers = await allAnswers(manifest, clips, features);
  const isWithheld = ({ familiarity }: Answer): boolean => familiarity !== null && familiarity < least;
  const lost = (right: boolean): number | null => {
    const those = answers.filter((answer) => answer.right === right);
    return those.length > 0 ? those.filter(isWithheld).length / those.length : null;
  };
  const error = (those: readonly Answer[]): number | null => {
    const pixels = those.flatMap(({ pixels }) => pixels ?? []);
    return calibrationError(manifest.task === 'segment' ? pixels : those);
  };
  return {
    clips: clips.length,
    answers: answers.length,
    rightLost: lost(true),
    wrongWithheld: lost(false),
    calibrationError: {
      bins: calibrationBins,
      before: error(plain),
      after: error(answers.filter((answer) => !isWithheld(answer))),
    },
  };
}

async function packed(
  { files: listed, ...draft }: AdapterManifest,
  adapter: ModelPackage<AdapterManifest>,
  measure: Measure,
): Promise<ModelPackage<AdapterManifest>> {
  const graphs = listed.filter(({ path }) => path !== familiarityFile && !/\.(md|json)$/.test(path));
  const kept = graphs.map(({ path }) => [path, adapter.files[path]!] as const);
  const files = { ...Object.fromEntries(kept), [familiarityFile]: writeMeasure(measure) };
  const manifest = await finishManifest(draft, files);
  return { manifest, files: { ...files, 'manifest.json': new TextEncoder().encode(manifestText(manifest)) } };
}
