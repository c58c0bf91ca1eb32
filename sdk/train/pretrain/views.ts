/**
 * Views: samples as they are kept, with all that is to be learned from them, in fields of fixed lengths. Making one costs drawing, changing and the teachers'
 * answers; from then on it is read as often as it is visited, by students of the preset's size or of half of it.
 */

import type { RgbImage } from '../../contract/clip.ts';
import { createLogMel } from '../../front-end/log-mel.ts';
import { pictureToTensor } from '../../front-end/picture.ts';
import type { BackbonePreset } from '../../models/presets.ts';
import { decodeHalf, encodeHalf } from '../../onnx/float16.ts';
import type { Example } from '../loop/batches.ts';
import { exampleOf } from './student.ts';
import type { Target } from './targets.ts';
import { regrid, type Sample } from './teacher.ts';
import { type Truth, truthsOf } from './truth.ts';

export type ViewField = { name: string; type: 'uint8' | 'float16'; length: number };
/** By name of the field; half precision as bit patterns. */
export type View = Record<string, Uint8Array | Uint16Array>;

/** Teachers' taps are `target/N`; what made samples show or play stands in `shown` or in `heard`, which begins with 1 where it is known. */
const fieldOf = (index: number): string => `target/${index}`;

/** The fields of a preset's views, in the order in which they are kept. */
export function viewFields(preset: BackbonePreset, targets: readonly Target[], classes: number): ViewField[] {
  const learned = targets.map(({ grid, width }, index): ViewField => {
    return { name: fieldOf(index), type: 'float16', length: grid[0] * grid[1] * width };
  });
  if (preset.modality === 'visual') {
    const pixels = preset.frontEnd.width * preset.frontEnd.height;
    return [
      { name: 'picture', type: 'uint8', length: 3 * pixels },
      { name: 'shown', type: 'uint8', length: pixels },
      ...learned,
    ];
  }
  const { frames, mels } = preset.frontEnd;
  return [
    { name: 'log-mel', type: 'float16', length: frames * mels },
    { name: 'heard', type: 'float16', length: 1 + classes },
    ...learned,
  ];
}

/** What is kept of a sample; `wanted` are the targets' numbers. */
export function viewMaker(preset: BackbonePreset, classes: number): (sample: Sample, wanted: Float32Array[]) => View {
  const learned = (wanted: Float32Array[]): View =>
    Object.fromEntries(wanted.map((numbers, index) => [fieldOf(index), encodeHalf(numbers)]));
  if (preset.modality === 'visual') {
    return (sample, wanted) => {
      const { picture } = sample as { picture: RgbImage & { shown: Uint8Array } };
      return { picture: picture.data as Uint8Array, shown: picture.shown, ...learned(wanted) };
    };
  }
  const logMel = createLogMel(preset.frontEnd);
  return (sample, wanted) => {
    const { pcm, heard } = sample as Extract<Sample, { pcm: Float32Array }>;
    const told = new Float32Array(1 + classes);
    if (heard) told.set([1, ...heard.subarray(0, classes)]);
    return { 'log-mel': encodeHalf(logMel(pcm)), heard: encodeHalf(told), ...learned(wanted) };
  };
}

/** What a step reads of a view. `student` is the preset that is trained: `kept`'s own, or half of it. */
export function viewReader(
  kept: { preset: BackbonePreset; targets: readonly Target[] },
  student: { preset: BackbonePreset; targets: readonly Target[]; truth: Truth },
): (view: View) => Example {
  const wanted = (view: View) =>
    student.targets.map(({ grid, width }, index) => {
      const from = kept.targets[index]!.grid;
      const numbers = view[fieldOf(index)] as Uint16Array;
      return from[0] === grid[0] && from[1] === grid[1] ? numbers : regrid(decodeHalf(numbers), from, grid, width);
    });
  const { preset, truth } = student;
  if (preset.modality === 'visual' && kept.preset.modality === 'visual') {
    const { width, height } = kept.preset.frontEnd;
    return (view) => {
      const picture = { width, height, data: view.picture as Uint8Array, shown: view.shown as Uint8Array };
      return exampleOf(pictureToTensor(picture, preset.frontEnd), wanted(view), truthsOf({ picture }, truth));
    };
  }
  return (view) => {
    const [known, ...heard] = decodeHalf(view.heard as Uint16Array);
    const sample = { pcm: new Float32Array(0), rate: 0, heard: known ? Float32Array.from(heard) : null };
    return exampleOf(decodeHalf(view['log-mel'] as Uint16Array), wanted(view), truthsOf(sample, truth));
  };
}
