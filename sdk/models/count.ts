/** What a network costs, counted from its graph; nothing is computed and no weight is needed. */
import { reachable, sizeOf, type Value } from '../ops/index.ts';
import { backboneParams, backboneTaps } from './backbone.ts';
import { Params } from './params.ts';
import type { BackbonePreset } from './presets.ts';

/** Learned numbers of a preset's network as its checkpoint holds them, and multiply-adds of one second. */
export type Cost = { params: number; macs: number };

/** `params` leaves out the parameters whose names `skip` accepts. */
export function costOfPreset(preset: BackbonePreset, skip: (name: string) => boolean = () => false): Cost {
  const taps = backboneTaps(preset, (graph) => Params.inputs(graph));
  const specs = [...backboneParams(preset).values()].filter(({ name }) => !skip(name));
  return {
    params: specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    macs: macsOf(
      taps.map(({ value }) => value),
      [preset.frontEnd.input],
    ),
  };
}

/** Multiply-adds of all products and convolutions that depend on one of the graph inputs named: what is known before is computed once and costs nothing. */
export function macsOf(outputs: readonly Value[], inputs: readonly string[]): number {
  const live = new Set<Value>();
  let macs = 0;
  for (const value of reachable(outputs)) {
    const isFed = value.op.name === 'input' && inputs.includes(value.name);
    if (!isFed && !value.inputs.some((input) => live.has(input))) continue;
    live.add(value);
    if (value.op.name === 'matmul') macs += sizeOf(value.shape) * innerOf(value);
    else if (value.op.name === 'conv2d') macs += sizeOf(value.shape) * sizeOf(value.inputs[1]!.shape.slice(1));
  }
  return macs;
}

/** Length of the sums of a matrix product. */
function innerOf({ inputs, attributes }: Value): number {
  const { shape } = inputs[0]!;
  return shape.at(attributes.transposeA ? -2 : -1)!;
}
