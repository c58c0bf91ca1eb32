/**
 * Four ways to train for one task on one frozen backbone, as models for one trainer: meta-tokens beside it (absorbed and plain form), a linear probe of all
 * layers, and adapters inside it. What is beside the backbone reads its taps, which were computed once, as `mettle train` does; what is inside it needs
 * pictures and log-mels in every step. `backbone in the step` is the first way without that advantage.
 */

import type { LogMelFrontEnd, PictureFrontEnd, Tap } from '../../sdk/contract/manifest.ts';
import { type AdapterConfig, defaultAdapter, segmentPart } from '../../sdk/models/adapter.ts';
import type { HtsAtConfig } from '../../sdk/models/hts-at.ts';
import { htsAt } from '../../sdk/models/hts-at.ts';
import { adaptedInside } from '../../sdk/models/inside-adapters.ts';
import { dense } from '../../sdk/models/layers.ts';
import { localization } from '../../sdk/models/localization.ts';
import { Params } from '../../sdk/models/params.ts';
import type { Features } from '../../sdk/models/swin.ts';
import type { SwinV2Config } from '../../sdk/models/swin-v2.ts';
import { swinV2 } from '../../sdk/models/swin-v2.ts';
import { add, Graph, layerNorm, mean, mul, reshape, type Value } from '../../sdk/ops/index.ts';
import { accuracy, crossEntropy } from '../../sdk/train/adapter/losses.ts';
import type { InputShapes, TrainModel, Values } from '../../sdk/train/loop/step.ts';

export const ways = [
  'LCD, absorbed',
  'LCD, plain',
  'linear probe, all layers',
  'adapters inside',
  'LCD, absorbed, backbone in the step',
] as const;
export type Way = (typeof ways)[number];

export type Networks = {
  visual: { frontEnd: PictureFrontEnd; network: SwinV2Config };
  audio: { frontEnd: LogMelFrontEnd; network: HtsAtConfig };
};

export type WayOptions = {
  networks: Networks;
  classes: number;
  segments: number;
  /** Width of the common tokens. */
  width: number;
  /** Frozen weights: constants of this seed, or inputs of the graph where only costs are counted and no array should be made. */
  frozen: { seed: number } | 'declared';
};

/** The model of one way; inputs are `picture`, `logMel`, `mask` and `labels`. */
export function modelOf(way: Way, options: WayOptions): TrainModel {
  const { networks, classes, segments } = options;
  return {
    inputs: (batch) => ({
      ...(readsTaps(way) ? tapShapes(options, batch * segments) : mediaShapes(networks, batch * segments)),
      mask: [batch, segments],
      labels: [batch, segments, classes + 1],
    }),
    forward(p, inputs) {
      const tokens = way === 'adapters inside' ? inside(p, inputs, options) : beside(way, p, inputs, options);
      const [heard, seen] = tokens.map((x) => reshape(x, [...inputs.mask!.shape, ...x.shape.slice(1)]));
      const clip = { audio: heard!, visual: seen!, mask: inputs.mask! };
      return localization(p, clip, { classes, layers: 2, heads: 4, head: 'A' });
    },
    loss: ({ logits }, { labels, mask }) => ({
      loss: crossEntropy(logits!, labels!, mask!),
      accuracy: accuracy(logits!, labels!, mask!),
    }),
  };
}

export const readsTaps = (way: Way): boolean =>
  way !== 'adapters inside' && way !== 'LCD, absorbed, backbone in the step';

const mediaShapes = ({ visual, audio }: Networks, seconds: number): InputShapes => ({
  picture: [seconds, 3, visual.frontEnd.height, visual.frontEnd.width],
  logMel: [seconds, 1, audio.frontEnd.frames, audio.frontEnd.mels],
});

/** Taps of the backbone over pictures and log-mels that are inputs of a new graph. */
export function tapGraph(options: WayOptions, seconds: number): { visual: ValueTap[]; audio: ValueTap[] } {
  const graph = new Graph();
  const shapes = mediaShapes(options.networks, seconds);
  const [picture, logMel] = [graph.input('picture', shapes.picture!), graph.input('logMel', shapes.logMel!)];
  return backbone({ picture, logMel }, options);
}

function tapShapes(options: WayOptions, seconds: number): InputShapes {
  const { visual, audio } = tapGraph({ ...options, frozen: 'declared' }, seconds);
  return Object.fromEntries([...visual, ...audio].map(({ name, value }) => [name, value.shape]));
}

function backbone({ picture, logMel }: Values, { networks, frozen }: WayOptions) {
  const params = frozenParams(picture!.graph, frozen);
  return {
    visual: tapsOf('visual', swinV2(params.visual, picture!, networks.visual.network)),
    audio: tapsOf('audio', htsAt(params.audio, logMel!, networks.audio.network)),
  };
}

/** Taps that are inputs of the step. */
function given(inputs: Values, options: WayOptions, seconds: number) {
  const shapes = tapGraph({ ...options, frozen: 'declared' }, seconds);
  const read = (taps: readonly ValueTap[]) => taps.map((tap) => ({ ...tap, value: inputs[tap.name]! }));
  return { visual: read(shapes.visual), audio: read(shapes.audio) };
}

type Pair = { visual: Params; audio: Params };

function frozenParams(graph: Graph, frozen: WayOptions['frozen']): Pair {
  const all = frozen === 'declared' ? Params.inputs(graph) : Params.constants(graph, frozen);
  return { visual: all.in('visual', (p) => p), audio: all.in('audio', (p) => p) };
}

/** Tokens of sound and picture, [N, K, c] each, from a backbone that no gradient enters. */
function beside(way: Way, p: Params, inputs: Values, options: WayOptions): [Value, Value] {
  const { width, segments } = options;
  const taps = readsTaps(way) ? given(inputs, options, inputs.mask!.shape[0]! * segments) : backbone(inputs, options);
  if (way === 'linear probe, all layers') return [probe(p, taps.audio, width), probe(p, taps.visual, width)];
  const config: AdapterConfig = {
    ...defaultAdapter,
    task: 'localize',
    classes: [],
    segments,
    distill: { ...defaultAdapter.distill, width, form: way === 'LCD, plain' ? 'plain' : 'absorbed' },
  };
  const values = new Map([...taps.visual, ...taps.audio].map(({ name, value }) => [name, value]));
  const { audioTokens, visualTokens } = segmentPart(p, taps, (name) => values.get(name)!, config);
  return [audioTokens!, visualTokens!];
}

type ValueTap = Tap & { value: Value };

function tapsOf(modality: string, features: Features): ValueTap[] {
  return features.blocks.flatMap((stage, s) =>
    stage.map((value, b): ValueTap => {
      const [, tokens, width] = value.shape as [number, number, number];
      return { name: `${modality}.s${s}.b${b}`, layout: 'tokens', tokens, width, grid: features.grids[s]!, value };
    }),
  );
}

/** Each layer's mean token, normed, through one linear map per width, averaged over layers: [N, 1, c]. */
function probe(p: Params, taps: readonly ValueTap[], width: number): Value {
  const mapped = taps.map((tap) =>
    dense(p, `probe.${tap.name.split('.')[0]}.${tap.width}`, layerNorm(mean(tap.value, [1], true)), width),
  );
  return mul(mapped.reduce(add), 1 / mapped.length);
}

/** The last stage's mean token of networks whose blocks were changed from inside: [N, 1, c]. */
function inside(p: Params, { picture, logMel }: Values, { networks, width, frozen }: WayOptions): [Value, Value] {
  const inputs = { picture: picture!, logMel: logMel! };
  const shapes = { visual: networks.visual.network, audio: networks.audio.network };
  const { visual, audio } = adaptedInside(p, frozenParams(picture!.graph, frozen), inputs, shapes);
  const token = (features: Features, name: string): Value =>
    dense(p, name, mean(features.stageEnds.at(-1)!, [1], true), width);
  return [token(audio, 'to_common.audio'), token(visual, 'to_common.visual')];
}
