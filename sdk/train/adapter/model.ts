/**
 * An adapter as something to train: its two parts over whole clips, with the loss of its task. Inputs of a batch of B clips of T seconds are every tap that
 * the adapter reads, [B * T, tokens, width] or maps [B * T, width, rows, columns], `mask` [B, T] (1 where there is a second), and labels:
 * - localization: `labels` [B, T, classes + 1], one-hot, background last
 * - parsing: `labels` [B, classes], what is heard or seen anywhere in the clip
 * - segmentation: `masks` [B * T, 1, H, W] of 0 and 1, -1 where nobody knows, and `supervised` [B, T], 1 where there is a mask (S4 gives the first second's alone)
 * Backbones are not part of it, so no gradient can enter them.
 */

import { tapShape } from '../../contract/taps.ts';
import {
  type AdapterConfig,
  type BackboneTaps,
  bothSenses,
  mapsToGuide,
  segmentPart,
  tapsRead,
} from '../../models/adapter.ts';
import { type ClipTokens, decodeEvents, localization } from '../../models/localization.ts';
import type { Params } from '../../models/params.ts';
import { parsing } from '../../models/parsing.ts';
import { add, mul, reshape, type Value } from '../../ops/index.ts';
import type { InputShapes, TrainModel, Values } from '../loop/step.ts';
import {
  accuracy,
  clipWeight,
  crossEntropy,
  dice,
  type EventAndClass,
  eventAndClass,
  maskBce,
  matchingKl,
  weakParsing,
} from './losses.ts';

/** Weights of the terms of a loss. */
export type LossOptions = {
  /** Weight of Dice beside BCE in segmentation (ours); default 1. */
  dice?: number;
  /** Weight of the audio-visual matching term in segmentation; default 0, MS3's recipe has 0.5. */
  matching?: number;
};

/** The training of an adapter on the taps of a backbone. */
export function adapterModel(taps: BackboneTaps, config: AdapterConfig, losses: LossOptions = {}): TrainModel {
  const tasks = { localize: localizationModel, parse: parsingModel, segment: segmentationModel };
  return tasks[config.task](taps, config, losses);
}

function tapShapes(taps: BackboneTaps, config: AdapterConfig, batch: number): InputShapes {
  const all = new Map([...taps.visual, ...taps.audio].map((tap) => [tap.name, tap]));
  const seconds = batch * config.segments;
  return Object.fromEntries(tapsRead(taps, config).map((name) => [name, tapShape(all.get(name)!, seconds)]));
}

/** Meta-tokens of whole clips, zeros for a sense that is not read. */
function clipTokens(p: Params, taps: BackboneTaps, inputs: Values, config: AdapterConfig): ClipTokens {
  const { audioTokens, visualTokens } = segmentPart(p, taps, (name) => inputs[name]!, config);
  const mask = inputs.mask!;
  const byClip = (x: Value | undefined): Value | null => (x ? reshape(x, [...mask.shape, ...x.shape.slice(1)]) : null);
  return bothSenses({ audio: byClip(audioTokens), visual: byClip(visualTokens), mask });
}

function localizationModel(taps: BackboneTaps, config: AdapterConfig): TrainModel {
  const { classes, segments, layers, heads, head = 'A' } = config;
  return {
    inputs: (batch) => ({
      ...tapShapes(taps, config, batch),
      mask: [batch, segments],
      labels: [batch, segments, classes.length + 1],
    }),
    forward(p, inputs) {
      const tokens = clipTokens(p, taps, inputs, config);
      const outputs = localization(p, tokens, { classes: classes.length, layers, heads, head });
      return head === 'A' ? outputs : { ...outputs, logits: decodeEvents(outputs.event!, outputs.class!) };
    },
    loss(outputs, { labels, mask }) {
      const logits = outputs.logits!;
      const loss =
        head === 'A' ? crossEntropy(logits, labels!, mask!) : eventAndClass(outputs as EventAndClass, labels!, mask!);
      return { loss, accuracy: accuracy(logits, labels!, mask!) };
    },
  };
}

function parsingModel(taps: BackboneTaps, config: AdapterConfig): TrainModel {
  const { classes, segments, layers, heads } = config;
  return {
    inputs: (batch) => ({
      ...tapShapes(taps, config, batch),
      mask: [batch, segments],
      labels: [batch, classes.length],
    }),
    forward: (p, inputs) => ({
      ...parsing(p, clipTokens(p, taps, inputs, config), { classes: classes.length, layers, heads }),
    }),
    loss: (outputs, { labels, mask }) => ({
      loss: weakParsing(
        { clip: outputs.clip!, audioClip: outputs.audioClip!, visualClip: outputs.visualClip! },
        labels!,
        clipWeight(mask!),
      ),
    }),
  };
}

function segmentationModel(taps: BackboneTaps, config: AdapterConfig, losses: LossOptions): TrainModel {
  const { segments } = config;
  const { dice: diceWeight = 1, matching = 0 } = losses;
  const [rows, columns] = mapsToGuide(taps.visual)[0]!.grid;
  return {
    inputs: (batch) => ({
      ...tapShapes(taps, config, batch),
      mask: [batch, segments],
      masks: [batch * segments, 1, 4 * rows, 4 * columns],
      supervised: [batch, segments],
    }),
    forward: (p, inputs) => segmentPart(p, taps, (name) => inputs[name]!, config, { matching: matching > 0 }),
    loss(outputs, { masks, mask, supervised }) {
      const frames = [supervised!.shape[0]! * segments];
      const weight = reshape(supervised!, frames);
      const { mask: logits, heard, ...others } = outputs;
      const bce = maskBce(logits!, masks!, weight);
      let loss = bce;
      if (diceWeight > 0) loss = add(loss, mul(dice(logits!, masks!, weight), diceWeight));
      if (heard) loss = add(loss, mul(matchingKl(heard, Object.values(others), reshape(mask!, frames)), matching));
      return { loss, bce };
    },
  };
}
