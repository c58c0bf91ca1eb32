/** A preset's network with its outputs named as taps: `visual.s2.b1` is a block's output, `visual.s2` a stage's end; both count from 0. */
import type { Tap } from '../contract/manifest.ts';
import { Graph, type Value } from '../ops/index.ts';
import { htsAt } from './hts-at.ts';
import { type ParamSpec, Params } from './params.ts';
import type { BackbonePreset } from './presets.ts';
import type { Features } from './swin.ts';
import { swinV2 } from './swin-v2.ts';

export type Modality = 'visual' | 'audio';
export const modalities: readonly Modality[] = ['visual', 'audio'];

export type NamedTap = Tap & { value: Value };

/** The network of a preset over `batch` seconds, as the taps it shows. `paramsOf` says what its parameters are, named as in published checkpoints. */
export function backboneTaps(preset: BackbonePreset, paramsOf: (graph: Graph) => Params, batch = 1): NamedTap[] {
  const graph = new Graph();
  const params = paramsOf(graph);
  if (preset.modality === 'visual') {
    const { frontEnd, network } = preset;
    const picture = graph.input(frontEnd.input, [batch, 3, frontEnd.height, frontEnd.width]);
    return named('visual', swinV2(params, picture, network));
  }
  const { frontEnd, network } = preset;
  const logMel = graph.input(frontEnd.input, [batch, 1, frontEnd.frames, frontEnd.mels]);
  return named('audio', htsAt(params, logMel, network));
}

/** Every parameter of a preset's network, by its published name. */
export function backboneParams(preset: BackbonePreset): ReadonlyMap<string, ParamSpec> {
  const made: Params[] = [];
  backboneTaps(preset, (graph) => {
    made.push(Params.inputs(graph));
    return made[0]!;
  });
  return made[0]!.specs;
}

function named(modality: Modality, features: Features): NamedTap[] {
  return features.blocks.flatMap((stage, s) => {
    const tap = (name: string, value: Value): NamedTap => ({
      name: `${modality}.s${s}${name}`,
      layout: 'tokens',
      tokens: value.shape[1]!,
      width: value.shape[2]!,
      grid: features.grids[s]!,
      value,
    });
    return [...stage.map((value, b) => tap(`.b${b}`, value)), tap('', features.stageEnds[s]!)];
  });
}
