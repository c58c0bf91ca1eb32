/**
 * Networks that others have published and that become backbones here: where their files are, what is known of them, and what they are imported as. Nothing of them is
 * part of this package. Digests and sizes are those that the publisher, or whoever mirrors the file, states; where none was found, it says so by null.
 */
import type { PresetName } from './presets.ts';

/** What the file becomes. A TensorFlow Lite file says its own front end and where its blocks end. */
export type ImportedAs = { format: 'tflite' } | { format: 'checkpoint'; preset: PresetName };

export type PublishedNetwork = {
  /** What it is called here, and the id of its package. */
  id: string;
  /** One line for people. */
  title: string;
  /** Null where the file has no address of its own. */
  url: string | null;
  /** What the file is called. */
  file: string;
  /** Exact size; null where it is not known. */
  bytes: number | null;
  /** Size as its page tells it, rounded; null where that is not known either. */
  aboutBytes: number | null;
  /** Hexadecimal digits; null where it is not known. */
  sha256: string | null;
  license: string;
  as: ImportedAs;
  /** What else is to be known. */
  note: string | null;
};

const microsoft = 'https://github.com/SwinTransformer/storage/releases/download/v2.0.0/';
const huggingFace = 'https://huggingface.co/';

/** Preset, name of Microsoft's file, name of timm's repository, megabytes of timm's file where its page was seen. */
const swins: [PresetName, string, string, number | null][] = [
  ['swin-v2-tiny-256-w8', 'swinv2_tiny_patch4_window8_256', 'swinv2_tiny_window8_256.ms_in1k', null],
  ['swin-v2-tiny-256-w16', 'swinv2_tiny_patch4_window16_256', 'swinv2_tiny_window16_256.ms_in1k', null],
  ['swin-v2-small-256-w8', 'swinv2_small_patch4_window8_256', 'swinv2_small_window8_256.ms_in1k', null],
  ['swin-v2-small-256-w16', 'swinv2_small_patch4_window16_256', 'swinv2_small_window16_256.ms_in1k', null],
  ['swin-v2-base-256-w8', 'swinv2_base_patch4_window8_256', 'swinv2_base_window8_256.ms_in1k', null],
  ['swin-v2-base-256-w16', 'swinv2_base_patch4_window16_256', 'swinv2_base_window16_256.ms_in1k', null],
  ['swin-v2-base-192', 'swinv2_base_patch4_window12_192_22k', 'swinv2_base_window12_192.ms_in22k', null],
  [
    'swin-v2-base-256-w12to16',
    'swinv2_base_patch4_window12to16_192to256_22kto1k_ft',
    'swinv2_base_window12to16_192to256.ms_in22k_ft_in1k',
    357,
  ],
  [
    'swin-v2-base-384-w12to24',
    'swinv2_base_patch4_window12to24_192to384_22kto1k_ft',
    'swinv2_base_window12to24_192to384.ms_in22k_ft_in1k',
    null,
  ],
  ['swin-v2-large-192', 'swinv2_large_patch4_window12_192_22k', 'swinv2_large_window12_192.ms_in22k', 917],
  [
    'swin-v2-large-256-w12to16',
    'swinv2_large_patch4_window12to16_192to256_22kto1k_ft',
    'swinv2_large_window12to16_192to256.ms_in22k_ft_in1k',
    792,
  ],
  [
    'swin-v2-large-384-w12to24',
    'swinv2_large_patch4_window12to24_192to384_22kto1k_ft',
    'swinv2_large_window12to24_192to384.ms_in22k_ft_in1k',
    814,
  ],
];

const swinV2 = swins.flatMap(([preset, file, repository, megabytes]): PublishedNetwork[] => {
  const common = {
    bytes: null,
    sha256: null,
    license: 'MIT',
    as: { format: 'checkpoint' as const, preset },
    note: null,
  };
  return [
    {
      ...common,
      id: preset,
      title: 'Swin-V2 for pictures, Microsoft',
      url: `${microsoft}${file}.pth`,
      file: `${file}.pth`,
      aboutBytes: null,
    },
    {
      ...common,
      id: `${preset}-timm`,
      title: 'the same weights, of timm',
      url: `${huggingFace}timm/${repository}/resolve/main/model.safetensors`,
      file: 'model.safetensors',
      aboutBytes: megabytes === null ? null : megabytes * 1e6,
    },
  ];
});

/** In the order in which they are listed. */
export const catalogue: readonly PublishedNetwork[] = [
  {
    id: 'yamnet',
    title: 'YAMNet for sounds (AudioSet), Google, as MediaPipe has it',
    url: 'https://storage.googleapis.com/mediapipe-models/audio_classifier/yamnet/float32/1/yamnet.tflite',
    file: 'yamnet.tflite',
    bytes: 4_126_810,
    aboutBytes: null,
    sha256: '4d8b4a53282dc83ef04e3e7dbc4fbc98082e34e44ed798e16c3a0cdd4c584faf',
    license: 'Apache-2.0',
    as: { format: 'tflite' },
    note: null,
  },
  {
    id: 'mobilenetv2',
    title: 'MobileNetV2 for pictures (ImageNet), 8 bits, Google, of the Coral test data',
    url: 'https://github.com/google-coral/test_data/raw/master/mobilenet_v2_1.0_224_quant.tflite',
    file: 'mobilenet_v2_1.0_224_quant.tflite',
    bytes: 3_610_798,
    aboutBytes: null,
    sha256: '7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776',
    license: 'Apache-2.0',
    as: { format: 'tflite' },
    note: null,
  },
  {
    id: 'clap-htsat',
    title: "HTS-AT for sounds, CLAP's audio side (unfused), LAION",
    url: `${huggingFace}laion/clap-htsat-unfused/resolve/main/pytorch_model.bin`,
    file: 'pytorch_model.bin',
    bytes: null,
    aboutBytes: 615e6,
    sha256: null,
    license: 'Apache-2.0',
    as: { format: 'checkpoint', preset: 'hts-at' },
    note: 'Trained at 48 kHz against text: a substitute for the next one, whose adapters do not load on it.',
  },
  {
    id: 'hts-at',
    title: 'HTS-AT for sounds (AudioSet), its authors',
    url: null,
    file: 'HTSAT_AudioSet_Saved_1.ckpt',
    bytes: null,
    aboutBytes: null,
    sha256: null,
    license: 'MIT',
    as: { format: 'checkpoint', preset: 'hts-at' },
    note: 'Published in a folder that the README of RetroCirce/HTS-Audio-Transformer on GitHub links to, without an address of its own: get it there, then "mettle backbone import".',
  },
  ...swinV2,
];
