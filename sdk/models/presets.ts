/** Backbones by name: sizes of the networks, and how sound and picture are brought to them. */
import type { LogMelFrontEnd, PictureFrontEnd } from '../hub/manifest.ts';
import type { HtsAtConfig } from './hts-at.ts';
import type { SwinV2Config } from './swin-v2.ts';

export type BackbonePreset = {
  visual: { frontEnd: PictureFrontEnd; network: SwinV2Config };
  audio: { frontEnd: LogMelFrontEnd; network: HtsAtConfig };
};

/** The mean and deviation of ImageNet's pictures, which all published Swin-V2 weights expect. */
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } satisfies Partial<PictureFrontEnd>;

/** The shipped pair (ours): about 2.6 M and 2.1 M parameters. One second of sound at a hop of 250 samples is 128 frames, which need no stretching. */
const nano: BackbonePreset = {
  visual: {
    frontEnd: { input: 'picture', width: 128, height: 128, ...imageNet },
    network: {
      image: [128, 128],
      patch: 4,
      width: 32,
      depths: [2, 2, 4, 2],
      heads: [2, 4, 8, 16],
      window: 8,
      mlpRatio: 4,
    },
  },
  audio: {
    frontEnd: {
      input: 'logMel',
      sampleRate: 32000,
      fftSize: 1024,
      hop: 250,
      mels: 64,
      minHz: 50,
      maxHz: 14000,
      floor: 1e-10,
      frames: 128,
      mean: -30,
      std: 30,
    },
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
  },
};

export const presets = { nano } satisfies Record<string, BackbonePreset>;
export type PresetName = keyof typeof presets;
