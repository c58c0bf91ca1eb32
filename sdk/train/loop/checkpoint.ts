/**
 * An interrupted training as one safetensors file: the state as tensors, and what it belongs to as metadata. A training that resumes from it goes on as if it
 * had never stopped. Where the bytes are kept is the store's matter.
 */
import { MettleError } from '../../errors.ts';
import type { ParamSpec } from '../../models/params.ts';
import {
  readSafetensors,
  type Safetensors,
  type TensorData,
  tensorOf,
  toFloat32,
  writeSafetensors,
} from '../../onnx/safetensors.ts';
import type { Arrays, TrainState } from './init.ts';

/** Keeps checkpoints by name. `save` must leave either the old file or the new one, never half of one. */
export type CheckpointStore = {
  /** Throws `write` where it cannot be kept. */
  save(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Null where there is none of this name. */
  load(name: string): Promise<Uint8Array | null>;
};

/** Scores of one evaluation; `score` selects, higher is better. */
export type Evaluation = {
  /** Higher is better. */
  score: number;
} & Record<string, number>;
export type Best = { step: number; evaluation: Evaluation; weights: Arrays };

export type Checkpoint = {
  state: TrainState;
  best: Best | null;
  /** The step was to be followed by an evaluation that was cut short: whoever goes on makes it first. */
  owesEvaluation: boolean;
  /** What the training was: resuming under another plan is refused. */
  plan: Record<string, unknown>;
};

const schema = '1';

export function writeCheckpoint(
  { state, best, owesEvaluation, plan }: Checkpoint,
  specs: readonly ParamSpec[],
): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, TensorData> = {};
  const put = (kind: string, arrays: Arrays | null | undefined): void => {
    if (!arrays) return;
    for (const { name, shape } of specs) tensors[`${kind}/${name}`] = { dtype: 'F32', shape, data: arrays.get(name)! };
  };
  put('parameter', state.parameters);
  put('first', state.first);
  put('second', state.second);
  put('average', state.average);
  put('best', best?.weights);
  return writeSafetensors(tensors, {
    mettle_checkpoint: schema,
    step: String(state.step),
    plan: JSON.stringify(plan),
    owes_evaluation: String(owesEvaluation),
    best: best ? JSON.stringify({ step: best.step, evaluation: best.evaluation }) : '',
  });
}

/**
 * Reads a checkpoint for these parameters and this plan.
 * Throws `invalid-file` where it is none or lacks a tensor, `incompatible` where it belongs to another training.
 */
export function readCheckpoint(
  bytes: Uint8Array,
  specs: readonly ParamSpec[],
  plan: Record<string, unknown>,
): Checkpoint {
  const file = readSafetensors(bytes, 'The checkpoint');
  const { metadata } = file;
  if (metadata.mettle_checkpoint !== schema) {
    throw new MettleError('invalid-file', 'The file is no checkpoint of a training that this version can read.', {
      hint: 'Begin anew, or name the file that a training wrote.',
    });
  }
  const own = parse(metadata.plan, 'plan');
  const differing = Object.keys({ ...own, ...plan }).filter(
    (key) => JSON.stringify(own[key]) !== JSON.stringify(plan[key]),
  );
  if (differing.length > 0) {
    const [key] = differing as [string];
    throw new MettleError(
      'incompatible',
      `The checkpoint belongs to another training: its ${key} is ${JSON.stringify(own[key])}, here it is ${JSON.stringify(plan[key])}.`,
      { hint: 'Resume with the options it was begun with, or begin anew without resume.' },
    );
  }
  const read = (kind: string): Arrays =>
    new Map(specs.map(({ name, shape }) => [name, toFloat32(tensorOf(file, `${kind}/${name}`, shape))]));
  const has = (kind: string): boolean => hasKind(file, kind);
  const best = metadata.best ? parse(metadata.best, 'best') : null;
  return {
    state: {
      step: Number(metadata.step),
      parameters: read('parameter'),
      first: read('first'),
      second: read('second'),
      average: has('average') ? read('average') : null,
    },
    best: best && { step: Number(best.step), evaluation: best.evaluation as Evaluation, weights: read('best') },
    owesEvaluation: metadata.owes_evaluation === 'true',
    plan: own,
  };
}

const hasKind = ({ tensors }: Safetensors, kind: string): boolean =>
  [...tensors.keys()].some((name) => name.startsWith(`${kind}/`));

function parse(text: string | undefined, what: string): Record<string, unknown> {
  try {
    return JSON.parse(text ?? '') as Record<string, unknown>;
  } catch (cause) {
    throw new MettleError('invalid-file', `The checkpoint's ${what} cannot be read.`, { cause });
  }
}
