/**
 * A whole adapter for each task, cut where its data is cut: the segment part runs once per second on a backbone's taps, the clip part once over all seconds.
 * Training and inference use the same two functions.
 */

import type { Tap } from '../contract/manifest.ts';
import type { Task } from '../contract/task.ts';
import { tokensOf } from '../contract/tokens.ts';
import { MettleError } from '../errors.ts';
import { expand, reshape, type Value } from '../ops/index.ts';
import { judgedAlone } from './judged-alone.ts';
import { type DistillConfig, defaultLcd, distill, type ReadTap } from './lcd.ts';
import {
  type ClipTokens,
  decodeEvents,
  type LocalizationConfig,
  localization,
  type SensedTokens,
} from './localization.ts';
import { maskProbe } from './mask-probe.ts';
import type { Params } from './params.ts';
import { parsing } from './parsing.ts';
import { matching, type SegmentationConfig, segmentation } from './segmentation.ts';
import { asTokens, isBlock, layersOf } from './taps.ts';

/** How an adapter is built. */
export type AdapterConfig = {
  /** The question it answers. */
  task: Task;
  /** Labels, in the order of its outputs; empty for `segment`. */
  classes: readonly string[];
  /** How meta-tokens read a layer. */
  distill: DistillConfig;
  /** Which outputs of the backbone the meta-tokens read, of each sense: all blocks, the last of each width, the later half, or the last alone. */
  taps: 'blocks' | 'stage-ends' | 'last-half' | 'last';
  /**
   * Whose meta-tokens there are; of the other sense none are computed, and zeros stand for them. Masks are decoded from pictures all the same: `visual` leaves
   * them without guidance by sound. Default: both.
   */
  senses?: 'both' | Sense;
  /** Seconds that the clip part sees at once. */
  segments: number;
  /** In which the clip part looks along time. */
  layers: number;
  /** Attention heads of those layers. */
  heads: number;
  /** Channels of the mask decoder. */
  channels: number;
  /**
   * How masks are made: by a pyramid of convolutions over maps that the top layer's meta-tokens guide, or by a linear probe of the layers that `taps` names, with
   * neither meta-tokens nor injection (`mask-probe.ts`). Default: pyramid.
   */
  decoder?: 'pyramid' | 'linear';
  /**
   * How parsing judges a second: after a small network (`parsing.ts`), or by one linear map of each sense's mean meta-token alone (`judged-alone.ts`), which is what teaching
   * makes. Default: mixed.
   */
  judge?: 'mixed' | 'linear';
  /** Head of localization. Default: A. */
  head?: LocalizationConfig['head'];
} & Pick<SegmentationConfig, 'injection' | 'nonLocal'>;

type Sense = 'audio' | 'visual';

/** What an adapter has where nothing else is said: all but its task and classes. */
export const defaultAdapter: Readonly<Omit<AdapterConfig, 'task' | 'classes'>> = {
  distill: { ...defaultLcd, width: 128, average: 'mean' },
  taps: 'blocks',
  segments: 10,
  layers: 2,
  heads: 4,
  channels: 64,
};

export type BackboneTaps = { visual: readonly Tap[]; audio: readonly Tap[] };

const isMaskProbe = ({ task, decoder }: AdapterConfig): boolean => task === 'segment' && decoder === 'linear';

/** The taps that meta-tokens or a probe read. A backbone without blocks (any network with named outputs) is read at all its taps. */
export function tapsToDistill(taps: readonly Tap[], config: AdapterConfig): Tap[] {
  const { task, taps: choice } = config;
  const blocks = layersOf(taps);
  const readsTopAlone = task === 'segment' && !isMaskProbe(config);
  if (readsTopAlone || choice === 'last') return blocks.slice(-1);
  if (choice === 'last-half') return blocks.slice(Math.floor(blocks.length / 2));
  return choice === 'blocks' ? blocks : blocks.filter((tap, i) => blocks[i + 1]?.width !== tap.width);
}

/** A mask decoder has at most this many maps, as many as a Swin has stages. */
const mostMaps = 4;

/**
 * The visual maps that a mask is decoded from, finest first: each twice as fine as the next, the last tap of its size. Of a Swin these are its stage ends;
 * of any other network the longest such row that its taps give.
 */
export function mapsToGuide(taps: readonly Tap[]): Tap[] {
  const bySize = new Map(taps.filter((tap) => !isBlock(tap)).map((tap) => [String(tap.grid), tap]));
  const rowUpFrom = (coarsest: Tap): Tap[] => {
    const row = [coarsest];
    for (let finer: Tap | undefined = coarsest; row.length <= mostMaps; ) {
      finer = bySize.get(String(finer.grid.map((length) => 2 * length)));
      if (!finer) break;
      row.unshift(finer);
    }
    return row.slice(-mostMaps);
  };
  const rows = [...bySize.values()].sort((a, b) => a.tokens - b.tokens).map(rowUpFrom);
  return rows.reduce<Tap[]>((longest, row) => (row.length > longest.length ? row : longest), []);
}

/** Of the visual taps that are to be read those that a mask can be put together from: their grids are in the row of {@link mapsToGuide}. */
function mapsToProbe(taps: readonly Tap[], config: AdapterConfig): Tap[] {
  const grids = new Set(mapsToGuide(taps).map(({ grid }) => String(grid)));
  const maps = tapsToDistill(taps, config).filter(({ grid }) => grids.has(String(grid)));
  if (maps.length > 0) return maps;
  throw new MettleError(
    'invalid-argument',
    `"${config.taps}" names no layer that the rows and columns of a mask can be told from.`,
    {
      hint: 'Let the probe read all blocks.',
    },
  );
}

const hasTokens = (sense: Sense, { senses = 'both' }: AdapterConfig): boolean => senses === 'both' || senses === sense;

/** Names of all taps that an adapter reads. */
export function tapsRead(taps: BackboneTaps, config: AdapterConfig): string[] {
  const distilled = (sense: Sense): Tap[] => (hasTokens(sense, config) ? tapsToDistill(taps[sense], config) : []);
  if (isMaskProbe(config)) return [...mapsToProbe(taps.visual, config), ...distilled('audio')].map((tap) => tap.name);
  const maps = config.task === 'segment' ? mapsToGuide(taps.visual) : [];
  const all = [...distilled('visual'), ...maps, ...distilled('audio')];
  return [...new Set(all.map((tap) => tap.name))];
}

/**
 * Meta-tokens of N seconds, `audioTokens` and `visualTokens` [N, K, c], or those of one sense; for segmentation the mask's logits, `mask` [N, 1, H, W], with `tokens` the
 * meta-tokens that guided it as well, and with `matching` what that loss compares, `heard` and `seen.<map>` [N, channels].
 * `read` gives a tap's value by its name, [N, tokens, width] or a map [N, width, rows, columns].
 * Throws `invalid-argument` where something compares with sound that the configuration does not hear, or a linear probe has no map to read or is to be matched
 * with sound.
 */
export function segmentPart(
  p: Params,
  taps: BackboneTaps,
  read: (name: string) => Value,
  config: AdapterConfig,
  options: { matching?: boolean; tokens?: boolean } = {},
): Record<string, Value> {
  if (isMaskProbe(config)) {
    if (options.matching) throw new MettleError('invalid-argument', 'A linear probe has no maps to match with sound.');
    return { mask: p.in('probe', (q) => probe(q, taps, read, config)) };
  }
  const condense = (modality: Sense): Value | null => {
    if (!hasTokens(modality, config)) return null;
    const chosen = tapsToDistill(taps[modality], config);
    const values = chosen.map((tap): ReadTap => ({ ...layerOf(modality, tap, read), stage: tap.width }));
    return p.in(`lcd.${modality}`, (q) => distill(q, values, config.distill));
  };
  const [audio, visual] = [condense('audio'), condense('visual')];
  const tokens = { ...(audio && { [tokensOf.audio]: audio }), ...(visual && { [tokensOf.visual]: visual }) };
  if (config.task !== 'segment') return tokens;
  const maps = mapsToGuide(taps.visual).map(({ name, grid }) => ({ value: asTokens(read(name)), grid }));
  const decoded = segmentation(p, maps, { audio, visual }, config);
  return {
    mask: decoded.mask,
    ...(options.tokens && tokens),
    ...(options.matching && matchingOutputs(matching(p, decoded, audio))),
  };
}

/** A tap's output by its name without its sense. */
const layerOf = (sense: Sense, { name }: Tap, read: (name: string) => Value): { name: string; value: Value } => ({
  name: name.startsWith(`${sense}.`) ? name.slice(sense.length + 1) : name,
  value: asTokens(read(name)),
});

function probe(p: Params, taps: BackboneTaps, read: (name: string) => Value, config: AdapterConfig): Value {
  const maps = mapsToProbe(taps.visual, config).map((tap) => ({ ...layerOf('visual', tap, read), grid: tap.grid }));
  const heard = hasTokens('audio', config) ? tapsToDistill(taps.audio, config) : [];
  const sounds = heard.map((tap) => layerOf('audio', tap, read));
  const grids = mapsToGuide(taps.visual).map(({ grid }) => grid);
  return maskProbe(p, grids, maps, sounds);
}

const matchingOutputs = ({ heard, seen }: { heard: Value; seen: Value[] }): Record<string, Value> => ({
  heard,
  ...Object.fromEntries(seen.map((pooled, i) => [`seen.${i}`, pooled])),
});

/** With zeros for the tokens of a sense that has none. */
export function bothSenses({ audio, visual, mask }: SensedTokens): ClipTokens {
  const zeros = (other: Value | null): Value => expand(mask.graph.scalar(0), other!.shape);
  return { audio: audio ?? zeros(visual), visual: visual ?? zeros(audio), mask };
}

/** What is said about each of T seconds of B clips; null for a task whose segment part says it all. */
export function clipPart(p: Params, sensed: SensedTokens, config: AdapterConfig): Record<string, Value> | null {
  const { task, layers, heads, classes } = config;
  if (task === 'segment') return null;
  if (task === 'parse' && config.judge === 'linear') return judgedAlone(p, sensed, classes.length);
  const tokens = bothSenses(sensed);
  if (task === 'localize') {
    const head = config.head ?? 'A';
    const outputs = localization(p, tokens, { classes: classes.length, layers, heads, head });
    return head === 'A' ? outputs : { logits: decodeEvents(outputs.event!, outputs.class!) };
  }
  const [b, t] = tokens.mask.shape as [number, number];
  const { audio, visual, audioClip, visualClip } = parsing(p, tokens, { classes: classes.length, layers, heads });
  const perSecond = (x: Value): Value => expand(reshape(x, [b, 1, classes.length]), [b, t, classes.length]);
  return { audio, visual, audioClip: perSecond(audioClip), visualClip: perSecond(visualClip) };
}
