/** What a student is to predict, from which of its stages: every tap of every teacher, as a map of features or as scores of classes. */

import type { Tap } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import type { BackbonePreset } from '../../models/presets.ts';

export type Target = {
  /** The teacher's tap, for messages. */
  name: string;
  /** Stage from 0. */
  stage: number;
  /** Rows and columns of that stage; 1 x 1 for scores. */
  grid: [number, number];
  /** Numbers per token of the teacher. */
  width: number;
  /** Whether the tap is one token for the whole sample: scores of classes before softmax (pictures) or sigmoid (sounds). */
  scores: boolean;
};

/**
 * A map goes to the stage whose own has about as many places, scores go to the last stage. Throws `incompatible` for a tap that is neither map nor one token.
 */
export function targetFor(preset: BackbonePreset, { name, grid, width, tokens }: Tap): Target {
  const grids = gridsOf(preset);
  if (tokens === 1) return { name, stage: grids.length - 1, grid: [1, 1], width, scores: true };
  if (grid[0] < 1 || grid[1] < 1) {
    throw new MettleError('incompatible', `Tap "${name}" is no map.`, {
      hint: 'Choose taps that have rows and columns, or one token.',
    });
  }
  const places = ([rows, columns]: readonly [number, number]): number => Math.log(rows * columns);
  const distances = grids.map((own) => Math.abs(places(own) - places(grid)));
  const stage = distances.indexOf(Math.min(...distances));
  return { name, stage, grid: grids[stage]!, width, scores: false };
}

/** Rows and columns of every stage. */
export function gridsOf({ modality, frontEnd, network }: BackbonePreset): [number, number][] {
  const [rows, columns] = modality === 'visual' ? [frontEnd.height, frontEnd.width] : [frontEnd.frames, frontEnd.mels];
  return network.depths.map((_, stage) => [rows / network.patch / 2 ** stage, columns / network.patch / 2 ** stage]);
}
