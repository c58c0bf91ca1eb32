/**
 * Networks by name, one sense each: their sizes, and how sound and picture are brought to them. Sizes of the published ones are those of their authors'
 * configurations; weights are not here.
 */
import type { LogMelFrontEnd, PictureFrontEnd } from '../contract/manifest.ts';
import type { HtsAtConfig } from './hts-at.ts';
import type { SwinV2Config } from './swin-v2.ts';

export type VisualPreset = { modality: 'visual'; frontEnd: PictureFrontEnd; network: SwinV2Config };
export type AudioPreset = { modality: 'audio'; frontEnd: LogMelFrontEnd; network: HtsAtConfig };
/** A network of known size, and what it takes. */
export type BackbonePreset = VisualPreset | AudioPreset;

/** The mean and deviation of ImageNet's pictures, which all published Swin-V2 weights expect. */
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } satisfies Partial<PictureFrontEnd>;

/** Widths, depths and heads of the published sizes of Swin-V2. */
const swinSizes = {
  tiny: { width: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24] },
  small: { width: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24] },
  base: { width: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32] },
  large: { width: 192, depths: [2, 2, 18, 2], heads: [6, 12, 24, 48] },
};

function swin(
  size: Pick<SwinV2Config, 'width' | 'depths' | 'heads'>,
  side: number,
  window: number,
  pretrainedWindows?: readonly number[],
): VisualPreset {
  return {
    modality: 'visual',
    frontEnd: { input: 'picture', width: side, height: side, ...imageNet },
    network: {
      ...size,
      image: [side, side],
      patch: 4,
      window,
      mlpRatio: 4,
      ...(pretrainedWindows ? { pretrainedWindows } : {}),
    },
  };
}

/** Windows of the 192-pixel models that those with larger pictures were tuned from. */
const from192 = [12, 12, 12, 6];

/** Windows of the models with windows of 8 that those with windows of 16 were tuned from; the last stage's map has no more than 8 x 8 tokens. */
const from8 = [8, 8, 8, 8];

/** Log-mel as HTS-AT was trained on it: 64 bins, a hundred frames a second. */
const audioSet = {
  input: 'logMel',
  layout: 'image',
  sampleRate: 32000,
  repeat: 1,
  window: 1024,
  fftSize: 1024,
  align: 'centre',
  spectrum: 'power',
  mels: 64,
  minHz: 50,
  maxHz: 14000,
  scale: 'slaney',
  log: 'decibel',
  floor: 1e-10,
} satisfies Partial<LogMelFrontEnd>;

/** The second repeated to the ten that the network was trained on, as the published line of work feeds it. */
const htsAt: AudioPreset = {
  modality: 'audio',
  frontEnd: { ...audioSet, repeat: 10, hop: 320, frames: 1001, mean: 0, std: 1 },
  network: {
    mels: 64,
    layout: { kind: 'fold', side: 256 },
    patch: 4,
    width: 96,
    depths: [2, 2, 6, 2],
    heads: [4, 8, 16, 32],
    window: 8,
    mlpRatio: 4,
  },
};

/** Ours, about 2.1 M parameters. At a hop of 250 samples one second is 128 frames, which need no stretching. */
const htsAtNano: AudioPreset = {
  modality: 'audio',
  frontEnd: { ...audioSet, hop: 250, frames: 128, mean: -30, std: 30 },
  network: {
    mels: 64,
    layout: { kind: 'plain' },
    patch: 4,
    width: 32,
    depths: [2, 2, 2, 2],
    heads: [2, 4, 8, 16],
    window: 8,
    mlpRatio: 4,
  },
};

const all = {
  /** Ours, about 2.6 M parameters. */
  'swin-v2-nano': swin({ width: 32, depths: [2, 2, 4, 2], heads: [2, 4, 8, 16] }, 128, 8),
  'swin-v2-tiny-256-w8': swin(swinSizes.tiny, 256, 8),
  'swin-v2-tiny-256-w16': swin(swinSizes.tiny, 256, 16),
  'swin-v2-tiny-256-w8to16': swin(swinSizes.tiny, 256, 16, from8),
  'swin-v2-small-256-w8': swin(swinSizes.small, 256, 8),
  'swin-v2-small-256-w16': swin(swinSizes.small, 256, 16),
  'swin-v2-small-256-w8to16': swin(swinSizes.small, 256, 16, from8),
  'swin-v2-base-192': swin(swinSizes.base, 192, 12),
  'swin-v2-base-256-w8': swin(swinSizes.base, 256, 8),
  'swin-v2-base-256-w16': swin(swinSizes.base, 256, 16),
  'swin-v2-base-256-w8to16': swin(swinSizes.base, 256, 16, from8),
  'swin-v2-base-256-w12to16': swin(swinSizes.base, 256, 16, from192),
  'swin-v2-base-384-w12to24': swin(swinSizes.base, 384, 24, from192),
  'swin-v2-large-192': swin(swinSizes.large, 192, 12),
  'swin-v2-large-256-w12to16': swin(swinSizes.large, 256, 16, from192),
  'swin-v2-large-384-w12to24': swin(swinSizes.large, 384, 24, from192),
  'hts-at': htsAt,
  'hts-at-nano': htsAtNano,
} satisfies Record<string, BackbonePreset>;

/** Its name in {@link presets}. */
export type PresetName = keyof typeof all;

/** The networks that checkpoints can be imported into, by name. */
export const presets: { readonly [Name in PresetName]: (typeof all)[Name] } = all;

/** The presets of one sense. */
export type VisualPresetName = Exclude<PresetName, AudioPresetName>;
export type AudioPresetName = Extract<PresetName, `hts-at${string}`>;
