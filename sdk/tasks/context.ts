/**
 * What every task needs to know about a clip and an adapter before it can read outputs: times of the seconds, checked arrays, warnings.
 * Nothing here knows a task.
 */

import type { SensesFamiliarity, Unfamiliar } from '../contract/familiar.ts';
import type { AdapterManifest, Scope } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import { segmentCount, segmentTimes } from '../contract/segment-time.ts';
import { MettleError, type Warning } from '../errors.ts';
import { type BorderEvidence, evidenceOf } from './borders.ts';
import type { ResultBase } from './types.ts';

/** The clip and the adapter that outputs belong to. */
export type ResultContext = {
  /** Id of the adapter. */
  adapter: string;
  /** Class names in the order of the outputs; segmentation needs none. */
  classes: readonly string[];
  /** Seconds. */
  duration: number;
  /** Seconds that were pushed through the engine; the last may be short. */
  segments: number;
  hasAudio: boolean;
  hasPicture: boolean;
  /** True if the adapter was never trained. */
  untrained: boolean;
  /** What is known about the clip already; carried over into the result. */
  warnings?: readonly Warning[];
  /** The adapter's. Default: null. */
  scope?: Scope | null;
  /** The adapter's. Default: null. */
  calibration?: AdapterManifest['calibration'];
  /** How familiar each second is, and from where on it is familiar enough. Default: null, nobody knows. */
  familiarity?: { least: number; seconds: readonly SensesFamiliarity[] } | null;
  /** Where inside its seconds the adapter's classes sound. Default: null, and events are told in whole seconds. */
  borders?: BorderEvidence | null;
  /** What becomes of answers about seconds that are not. Default: `withhold`. */
  unfamiliar?: Unfamiliar;
};

/**
 * The part of a context that is the adapter's. `seconds` are filled as they become known, and only read where it has a measure; so is `heard`, what its border head says of
 * each second, where it has one.
 */
export function contextOf(
  { id, classes, untrained, scope, calibration, familiarity, borders }: AdapterManifest,
  seconds: readonly SensesFamiliarity[],
  heard: readonly (Float32Array | null)[] = [],
): Pick<ResultContext, 'adapter' | 'classes' | 'untrained' | 'scope' | 'calibration' | 'familiarity' | 'borders'> {
  return {
    ...{ adapter: id, classes, untrained, scope, calibration },
    familiarity: familiarity && { least: familiarity.least, seconds },
    borders: borders ? evidenceOf(heard, { steps: borders.steps, classes: classes.length }) : null,
  };
}

export type Span = { start: number; end: number };

/** Start and end of segment `index`, by the rule of `media`; the end never passes the clip's. */
export function spanOf(context: Pick<ResultContext, 'duration'>, index: number): Span {
  const { start, end } = segmentTimes(index, context.duration);
  return { start, end };
}

/**
 * Checks that the context can be true.
 * @throws MettleError `invalid-argument`
 */
export function checkContext(context: ResultContext): void {
  const { duration, segments } = context;
  if (!Number.isFinite(duration) || duration <= 0) {
    throw new MettleError(
      'invalid-argument',
      `context.duration must be a positive number of seconds, got ${duration}.`,
    );
  }
  if (!Number.isInteger(segments) || segments < 1 || segments > segmentCount(duration)) {
    throw new MettleError(
      'invalid-argument',
      `context.segments must be a whole number from 1 to ${segmentCount(duration)} for a clip of ${duration} s, got ${segments}.`,
    );
  }
}

/**
 * The data of output `name`, once its shape is the expected one and every value is finite. A string in `expected` stands for any positive size.
 * @throws MettleError `incompatible` for a missing output or a wrong shape, `internal` for NaN or infinity
 */
export function readOutput(
  adapter: string,
  outputs: AdapterOutputs,
  name: string,
  expected: readonly (number | string)[],
): { shape: readonly number[]; data: Float32Array } {
  const output = outputs[name];
  if (!output) {
    throw new MettleError(
      'incompatible',
      `Adapter "${adapter}" gave no output "${name}" of shape ${shapeText(expected)}; it gave ${listText(Object.keys(outputs))}.`,
      { hint: OUTPUT_HINT },
    );
  }
  const { shape, data } = output;
  const fits =
    shape.length === expected.length &&
    expected.every((size, axis) => (typeof size === 'number' ? shape[axis] === size : shape[axis]! >= 1));
  if (!fits) {
    throw new MettleError(
      'incompatible',
      `Adapter "${adapter}", output "${name}": expected shape ${shapeText(expected)}, got ${shapeText(shape)}.`,
      { hint: OUTPUT_HINT },
    );
  }
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (data.length !== size) {
    throw new MettleError(
      'incompatible',
      `Adapter "${adapter}", output "${name}": expected ${size} values for shape ${shapeText(shape)}, got ${data.length}.`,
      { hint: OUTPUT_HINT },
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new MettleError(
      'internal',
      `Adapter "${adapter}", output "${name}": value ${bad} is ${data[bad]}, not a number.`,
      {
        hint: 'Run again on another device, for example "wasm"; a faulty GPU driver is the usual cause.',
      },
    );
  }
  return { shape, data };
}

/** What every result has. `missing` says in the words of the task what the lack of a sense means; of a sense that does not count, nothing. */
export function resultBase(
  context: ResultContext,
  missing: { noAudio?: string; noPicture?: string },
  withheld: number,
): ResultBase {
  const { adapter, duration, untrained, scope = null } = context;
  return { adapter, duration, untrained, scope, withheld, warnings: warningsFor(context, missing) };
}

/** The clip's warnings, then those of this result. */
function warningsFor(
  context: ResultContext,
  { noAudio, noPicture }: { noAudio?: string; noPicture?: string },
): Warning[] {
  const own: Warning[] = [];
  if (!context.hasAudio && noAudio) own.push({ code: 'no-audio', message: noAudio });
  if (!context.hasPicture && noPicture) own.push({ code: 'no-picture', message: noPicture });
  if (context.untrained) {
    own.push({
      code: 'untrained',
      message: `Adapter "${context.adapter}" was never trained: its answers are noise and mean nothing.`,
    });
  }
  const said = new Set(own.map((warning) => warning.code));
  return [...(context.warnings ?? []).filter((warning) => !said.has(warning.code)), ...own];
}

const OUTPUT_HINT =
  "The adapter's graph does not fit its task; use a release of it that was made for this version of mettle-edge.";

const shapeText = (shape: readonly (number | string)[]) => `[${shape.join(', ')}]`;
const listText = (names: string[]) => (names.length ? names.map((name) => `"${name}"`).join(', ') : 'none');
