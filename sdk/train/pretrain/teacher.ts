/** A frozen network that a student learns from: it looks at the same sample, and its taps become the student's targets. */

import { concatenate } from '../../arrays.ts';
import type { BackboneManifest, Tap } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import { pictureShape, soundShape, tapShape } from '../../contract/taps.ts';
import { RuntimeQueue } from '../../engine/queue.ts';
import { GraphSession } from '../../engine/session.ts';
import { MettleError } from '../../errors.ts';
import { createLogMel } from '../../front-end/log-mel.ts';
import { pictureToTensor } from '../../front-end/picture.ts';
import { createResampler } from '../../media/resampler.ts';
import type { pictureSample } from './pictures.ts';
import type { soundSample } from './sounds.ts';
import type { Target } from './targets.ts';

/** What student and teachers look at, a picture or a second of mono sound at `rate` Hz, and what is known of it. */
export type Sample =
  | { picture: Awaited<ReturnType<typeof pictureSample>> }
  | (Awaited<ReturnType<typeof soundSample>> & { rate: number });

/** Mean and deviation of each of a tap's numbers. */
export type Scale = { mean: Float32Array; deviation: Float32Array };

/** Numbers further from the mean than this many deviations are cut there. */
const furthest = 6;

/** Owns a session; dispose of it. */
export class Teacher {
  readonly taps: readonly Tap[];
  readonly #runtime: Runtime;
  readonly #manifest: BackboneManifest;
  readonly #session: GraphSession;
  readonly #queue = new RuntimeQueue();
  #scales: Scale[] | null = null;
  #logMel: ((pcm: Float32Array) => Float32Array) | null = null;

  private constructor(runtime: Runtime, manifest: BackboneManifest, taps: readonly Tap[], session: GraphSession) {
    this.#runtime = runtime;
    this.#manifest = manifest;
    this.taps = taps;
    this.#session = session;
  }

  /** A backbone of this sense, downloaded for the CPU. Throws `incompatible` where it lacks the sense. */
  static async open(
    runtime: Runtime,
    { manifest, files }: ModelPackage<BackboneManifest>,
    modality: 'visual' | 'audio',
  ): Promise<Teacher> {
    const graphs = manifest.variants.wasm[modality];
    const input = manifest.inputs[modality]?.input;
    if (!graphs || !input) {
      throw new MettleError('incompatible', `The teacher "${manifest.id}" has no ${modality} network.`, {
        hint: 'Pictures are learned from networks for pictures, sounds from networks for sounds.',
      });
    }
    const taps = manifest.taps[modality];
    const session = await GraphSession.open(
      runtime,
      {
        label: `The teacher "${manifest.id}"`,
        graph: files[graphs.graph]!,
        weights: { path: graphs.weights, data: files[graphs.weights]! },
      },
      { inputs: [input], outputs: taps.map(({ name }) => name) },
    );
    return new Teacher(runtime, manifest, taps, session);
  }

  /** Learns from these samples how far each number of its taps usually goes, and says it. */
  async measure(samples: Iterable<Sample>, signal?: AbortSignal): Promise<Scale[]> {
    const rows: Float32Array[][] = this.taps.map(() => []);
    for (const sample of samples) {
      signal?.throwIfAborted();
      (await this.#look(sample)).forEach((row, tap) => void rows[tap]!.push(row));
    }
    this.#scales = this.taps.map(({ width }, tap) => scaleOf(concatenate(rows[tap]!), width));
    return this.#scales;
  }

  /** As `measure`, from what another teacher of the same network has measured. */
  scaleBy(scales: readonly Scale[]): void {
    this.#scales = [...scales];
  }

  /**
   * Each tap, standardised and brought to the target's grid: [rows * columns, width]; scores as they are. `targets` are in the order of the taps; call `measure`
   * or `scaleBy` first.
   */
  async targets(sample: Sample, targets: readonly Target[]): Promise<Float32Array[]> {
    const rows = await this.#look(sample);
    return rows.map((row, tap) => {
      const { grid, width } = this.taps[tap]!;
      if (targets[tap]!.scores) return row;
      standardise(row, this.#scales![tap]!);
      return regrid(row, grid, targets[tap]!.grid, width);
    });
  }

  /** The taps as [tokens, width]. */
  async #look(sample: Sample): Promise<Float32Array[]> {
    const { input, shape, data } = this.#feed(sample);
    const tensor = new this.#runtime.ort.Tensor('float32', data, shape);
    const names = this.taps.map(({ name }) => name);
    const results = await this.#queue.run(() => this.#session.run({ [input]: tensor }, names));
    return this.taps.map((tap) => {
      const values = results[tap.name]!.data as Float32Array;
      return tap.layout === 'tokens' ? Float32Array.from(values) : channelsLast(values, tapShape(tap));
    });
  }

  #feed(sample: Sample): { input: string; shape: number[]; data: Float32Array } {
    const { visual, audio } = this.#manifest.inputs;
    if ('picture' in sample) {
      return { input: visual!.input, shape: pictureShape(visual!), data: pictureToTensor(sample.picture, visual!) };
    }
    this.#logMel ??= createLogMel(audio!);
    const data = this.#logMel(atRate(sample, audio!.sampleRate));
    return { input: audio!.input, shape: soundShape(audio!), data };
  }

  async dispose(): Promise<void> {
    await this.#queue.dispose(() => this.#session.release());
  }
}

/** The second at another rate: exactly `rate` samples. */
function atRate({ pcm, rate: from }: { pcm: Float32Array; rate: number }, rate: number): Float32Array {
  if (from === rate) return pcm;
  const resampler = createResampler(from, rate);
  return concatenate([resampler.push(pcm), resampler.finish()]).slice(0, rate);
}

/** [1, width, rows, columns] to [rows * columns, width]. */
function channelsLast(values: Float32Array, [, width, rows, columns]: readonly number[]): Float32Array {
  const places = rows! * columns!;
  const out = new Float32Array(values.length);
  for (let c = 0; c < width!; c++) {
    for (let at = 0; at < places; at++) out[at * width! + c] = values[c * places + at]!;
  }
  return out;
}

/** Over all tokens of all samples, laid one after another. */
export function scaleOf(rows: Float32Array, width: number): Scale {
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  rows.forEach((x, i) => {
    sums[i % width]! += x;
    squares[i % width]! += x * x;
  });
  const count = rows.length / width;
  const mean = Float32Array.from(sums, (sum) => sum / count);
  const spread = Float64Array.from(squares, (sum, c) => Math.max(0, sum / count - mean[c]! * mean[c]!));
  // A number that hardly ever moves is not blown up to the size of the others.
  const least = 0.1 * Math.sqrt(spread.reduce((a, b) => a + b, 0) / width);
  return { mean, deviation: Float32Array.from(spread, (variance) => Math.max(Math.sqrt(variance), least, 1e-6)) };
}

/** In place. */
function standardise(row: Float32Array, { mean, deviation }: Scale): void {
  const width = mean.length;
  for (let i = 0; i < row.length; i++) {
    const off = (row[i]! - mean[i % width]!) / deviation[i % width]!;
    row[i] = Math.max(-furthest, Math.min(furthest, off));
  }
}

type Grid = readonly [number, number];

/** Bilinear, both grids over the same area: [rows * columns, width] of one grid to that of the other. */
export function regrid(tokens: Float32Array, from: Grid, to: Grid, width: number): Float32Array {
  if (from[0] === to[0] && from[1] === to[1]) return tokens;
  const out = new Float32Array(to[0] * to[1] * width);
  const neighbours = (at: number, axis: 0 | 1): { low: number; high: number; share: number } => {
    const place = Math.max(0, Math.min(from[axis] - 1, ((at + 0.5) * from[axis]) / to[axis] - 0.5));
    const low = Math.floor(place);
    return { low, high: Math.min(from[axis] - 1, low + 1), share: place - low };
  };
  for (let y = 0; y < to[0]; y++) {
    const row = neighbours(y, 0);
    for (let x = 0; x < to[1]; x++) {
      const column = neighbours(x, 1);
      const at = (y * to[1] + x) * width;
      const corner = (r: number, c: number): number => (r * from[1] + c) * width;
      const [a, b] = [corner(row.low, column.low), corner(row.low, column.high)];
      const [c, d] = [corner(row.high, column.low), corner(row.high, column.high)];
      for (let i = 0; i < width; i++) {
        const above = tokens[a + i]! * (1 - column.share) + tokens[b + i]! * column.share;
        const below = tokens[c + i]! * (1 - column.share) + tokens[d + i]! * column.share;
        out[at + i] = above * (1 - row.share) + below * row.share;
      }
    }
  }
  return out;
}
