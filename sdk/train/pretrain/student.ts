/**
 * A backbone that learns to say what frozen networks say: from the end of one of its stages, a linear map predicts each tap of a teacher. Inputs of a batch of B
 * samples are `sample`, as the backbone's front end makes it, and `target/N` [B, tokens, width], one for each tap of a teacher: maps standardised, so that
 * a loss of 1 is that of always saying the mean, and scores as one token.
 */
import { htsAt } from '../../models/hts-at.ts';
import { dense } from '../../models/layers.ts';
import type { Params } from '../../models/params.ts';
import type { BackbonePreset } from '../../models/presets.ts';
import { swinV2 } from '../../models/swin-v2.ts';
import { add, mean, mul, reshape, sub, transpose, upsample2x, type Value } from '../../ops/index.ts';
import type { Example } from '../loop/batches.ts';
import type { InputShapes, TrainModel, Values } from '../loop/step.ts';
import { divergenceOf, scoreBias } from './scores.ts';
import { gridsOf, type Target } from './targets.ts';
import { type Truth, type TruthTarget, truthLoss } from './truth.ts';

const sample = 'sample';
/** Of a batch's arrays and the student's outputs: a teacher's tap, and by stage the shares of classes, where they are known, and what is said of them. */
export const targetName = (index: number): string => `target/${index}`;
export const sharesName = (stage: number): string => `shares/${stage}`;
export const knownName = (stage: number): string => `known/${stage}`;
export const truthName = (stage: number): string => `truth/${stage}`;
/** Parameters that are not the backbone's have this before their names, and are left out of the result. */
export const headPrefix = 'predict.';

/** Names of the arrays of one example. */
export const exampleOf = (
  input: Float32Array,
  targets: readonly (Float32Array | Uint16Array)[],
  truths: readonly { stage: number; target: TruthTarget }[],
): Example => ({
  [sample]: input,
  ...Object.fromEntries(targets.map((target, index) => [targetName(index), target])),
  ...Object.fromEntries(
    truths.flatMap(({ stage, target }) => [
      [sharesName(stage), target.shares],
      [knownName(stage), target.known],
    ]),
  ),
});

/** Shape of what the backbone reads, for so many samples. */
export const sampleShape = (preset: BackbonePreset, batch: number): number[] =>
  preset.modality === 'visual'
    ? [batch, 3, preset.frontEnd.height, preset.frontEnd.width]
    : [batch, 1, preset.frontEnd.frames, preset.frontEnd.mels];

/**
 * Of a picture every stage tells which classes are where, each adding to what the coarser ones say; of a second of sound, in which no place differs from
 * another, the last two tell it, each by itself; there it counts a fifth, or it would drown what the teachers say. Without classes none does.
 */
export function truthFor(preset: BackbonePreset, classes: number): Truth {
  const stages = classes > 0 ? gridsOf(preset).map((grid, stage) => ({ stage, grid })) : [];
  return preset.modality === 'visual'
    ? { classes, stages, refines: true, weight: 1 }
    : { classes, stages: stages.slice(-2), refines: false, weight: 0.2 };
}

export function studentModel(preset: BackbonePreset, targets: readonly Target[], truth: Truth): TrainModel {
  const shapes = (batch: number): InputShapes => ({
    [sample]: sampleShape(preset, batch),
    ...Object.fromEntries(
      targets.map(({ grid, width }, index) => [targetName(index), [batch, grid[0] * grid[1], width]]),
    ),
    ...Object.fromEntries(
      truth.stages.flatMap(({ stage, grid: [rows, columns] }) => [
        [sharesName(stage), [batch, rows * columns, truth.classes]],
        [knownName(stage), [batch, rows * columns, 1]],
      ]),
    ),
  });
  return {
    inputs: shapes,
    forward: (p, inputs) => predictions(p, inputs[sample]!, preset, targets, truth),
    loss(outputs, inputs) {
      const { followed, ...errors } = followedBy(outputs, inputs, preset, targets);
      const told = truth.stages.map(({ stage }): [string, Value] => [
        truthName(stage),
        truthLoss(outputs[truthName(stage)]!, inputs[sharesName(stage)]!, inputs[knownName(stage)]!),
      ]);
      const loss = told.reduce((all, [, error]) => add(all, mul(error, truth.weight / told.length)), followed!);
      return { loss, ...errors, ...Object.fromEntries(told) };
    },
  };
}

/** Maps of the last stage are what a backbone is mostly asked for: they count so much more than others. */
const lastStageWeight = 2;
/** Of the mean over a map's places, which hides what differs from place to place. */
const pooledWeight = 2;

/**
 * How far the student is from its teachers: of maps the mean square, where always saying the mean is 1, of those of the last stage also that of their means over
 * all places, and of scores the divergence. `followed` is what is made small.
 */
function followedBy(
  outputs: Values,
  inputs: Values,
  { network, modality }: BackbonePreset,
  targets: readonly Target[],
): Values {
  const errors: Values = {};
  const parts: { error: Value; weight: number }[] = [];
  const maps = targets.filter(({ scores }) => !scores);
  const isLast = ({ stage }: Target): boolean => stage === network.depths.length - 1;
  const all = maps.reduce((sum, target) => sum + (isLast(target) ? lastStageWeight : 1), 0);
  targets.forEach((target, index) => {
    const [said, meant] = [outputs[targetName(index)]!, inputs[targetName(index)]!];
    if (target.scores) {
      const { error, weight } = divergenceOf(said, meant, modality);
      errors[`error/${index}`] = error;
      parts.push({ error, weight });
      return;
    }
    const off = sub(said, meant);
    const error = mean(mul(off, off), [0, 1, 2]);
    errors[`error/${index}`] = error;
    parts.push({ error, weight: (isLast(target) ? lastStageWeight : 1) / all });
    if (!isLast(target)) return;
    const pooled = mean(off, [1]);
    const away = mean(mul(pooled, pooled), [0, 1]);
    errors[`pooled/${index}`] = away;
    parts.push({ error: away, weight: pooledWeight });
  });
  return { ...errors, followed: parts.map(({ error, weight }) => mul(error, weight)).reduce(add) };
}

/** Under the names of the targets that they are to equal. */
function predictions(
  p: Params,
  input: Value,
  preset: BackbonePreset,
  targets: readonly Target[],
  truth: Truth,
): Values {
  const { stageEnds } =
    preset.modality === 'visual' ? swinV2(p, input, preset.network) : htsAt(p, input, preset.network);
  const outputs = targets.map(({ stage, width, scores }, index): [string, Value] => {
    const tokens = stageEnds[stage]!;
    const said = dense(p, `${headPrefix}${index}`, scores ? mean(tokens, [1], true) : tokens, width);
    return [targetName(index), scores ? add(said, scoreBias(preset.modality)) : said];
  });
  return { ...Object.fromEntries(outputs), ...tell(p, stageEnds, truth) };
}

/** Logits of the classes [B, places, classes] by each stage that tells them, the coarsest first. */
function tell(p: Params, stageEnds: readonly Value[], { classes, stages, refines }: Truth): Values {
  const told: Values = {};
  let coarser: Value | null = null;
  for (const { stage, grid } of [...stages].reverse()) {
    const own: Value = dense(p, `${headPrefix}truth.${stage}`, stageEnds[stage]!, classes);
    coarser = refines && coarser ? add(own, twiceAsFine(coarser, grid)) : own;
    told[truthName(stage)] = coarser;
  }
  return told;
}

/** Tokens of a map, as those of a map of twice as many rows and columns: `rows` and `columns` of the finer one. */
function twiceAsFine(tokens: Value, [rows, columns]: readonly [number, number]): Value {
  const [batch, , width] = tokens.shape as [number, number, number];
  const map = reshape(transpose(tokens, [0, 2, 1]), [batch, width, rows / 2, columns / 2]);
  return transpose(reshape(upsample2x(map), [batch, width, rows * columns]), [0, 2, 1]);
}
