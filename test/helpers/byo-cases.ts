/**
 * Two published networks as a pair of backbones, made in memory, with two adapters of seeded noise that read all their taps; and one made-up clip. The same in
 * Node and in a page. ../shared/data/backbones has the networks: MobileNetV2 for pictures, YAMNet for sounds.
 */
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import type { Package } from '../../sdk/compile/backbone.ts';
import { evaluate } from '../../sdk/compile/evaluate.ts';
import { type FrontEndSource, tapBackbone } from '../../sdk/compile/tapped.ts';
import type { LogMelFrontEnd, Manifest, PictureFrontEnd } from '../../sdk/contract/manifest.ts';
import { pairManifests } from '../../sdk/contract/pair.ts';
import type { Ort } from '../../sdk/contract/runtime.ts';
import type { RawClip } from '../../sdk/index.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { type Safetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { openNetwork } from '../../sdk/onnx/taps.ts';

/** YAMNet's published front end. */
export const yamnetFrontEnd: Omit<LogMelFrontEnd, 'input'> = {
  layout: 'plain',
  sampleRate: 16_000,
  repeat: 1,
  window: 400,
  fftSize: 512,
  hop: 160,
  align: 'left',
  spectrum: 'magnitude',
  mels: 64,
  minHz: 125,
  maxHz: 7500,
  scale: 'htk',
  log: 'natural',
  floor: 0.001,
  frames: 96,
  mean: 0,
  std: 1,
};

const half = 128 / 255;
/** (pixel - 128) / 128. */
export const mobilenetFrontEnd: Omit<PictureFrontEnd, 'input'> = {
  width: 224,
  height: 224,
  mean: [half, half, half],
  std: [half, half, half],
};

const tapNames = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `tap_${String(i).padStart(2, '0')}`);
export const mobilenetTaps = tapNames(17);
export const yamnetTaps = tapNames(14);

export type ByoPair = { pictures: Package<Manifest>; sounds: Package<Manifest>; adapters: Package<Manifest>[] };

/** Packages from the bytes of both models. */
export async function byoPair(mobilenet: Uint8Array, yamnet: Uint8Array, ort: Ort): Promise<ByoPair> {
  const make = (id: string, bytes: Uint8Array, taps: string[], source: FrontEndSource) =>
    tapBackbone(
      { ...source, id, version: '1.0.0', license: 'Apache-2.0', taps },
      { network: openNetwork(bytes, `${id}.onnx`), ort },
    );
  const pictures = await make('mobilenetv2', mobilenet, mobilenetTaps, {
    modality: 'visual',
    frontEnd: mobilenetFrontEnd,
  });
  const sounds = await make('yamnet', yamnet, yamnetTaps, { modality: 'audio', frontEnd: yamnetFrontEnd });
  const base = pairManifests(sounds.manifest, pictures.manifest);
  const common = { version: '1.0.0', license: 'MIT', weights: { seed: 2 } };
  const small = { ...defaultAdapter, distill: { ...defaultAdapter.distill, width: 32 }, channels: 16 };
  const adapters = [
    { id: 'events', ...common, config: { ...small, task: 'localize' as const, classes: ['Bell', 'Dog', 'Train'] } },
    { id: 'masks', ...common, config: { ...small, task: 'segment' as const, classes: [] } },
  ];
  const built: Package<Manifest>[] = [];
  for (const adapter of adapters) built.push(await compileAdapter(adapter, base, (values) => evaluate(ort, values)));
  return { pictures, sounds, adapters: built };
}

/** Four seconds out of one reference picture and one reference sound, each second another. */
export function byoClip(picture: Safetensors, sound: Safetensors): RawClip {
  const pixels = tensorOf(picture, 'pixels', [224, 224, 3]).bytes;
  const wave = toFloat32(tensorOf(sound, 'waveform', [15_600]));
  const frames = [0, 1, 2, 3].map((second) => ({
    width: 224,
    height: 224,
    data: pixels.map((value) => (second % 2 ? 255 - value : value) >> (second >> 1)),
  }));
  const samples = new Float32Array(4 * 16_000);
  for (let second = 0; second < 4; second++) {
    samples.set(
      wave.map((x, i) => (second % 2 ? Math.sin(i * 0.05 * second) : x / (second + 1))),
      second * 16_000,
    );
  }
  return { frames, frameRate: 1, audio: { channels: [samples], sampleRate: 16_000 } };
}

/**
 * What `events` must say about the clip, on any device: [label, start, end], and the probabilities of second 1 (within 1e-3). They hang on the seed and on the
 * names of the adapter's parameters; change them with those alone.
 */
export const byoEvents: [string, number, number][] = [
  ['Train', 0, 1],
  ['Train', 2, 3],
];
export const byoProbabilities = [0.1707, 0.2116, 0.2342, 0.3835];
