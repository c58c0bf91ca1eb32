/**
 * A backbone and two adapters of a few dozen weights, as packages for the engine, and the same sums in plain TypeScript as the reference.
 * Adapter `mix` has a clip graph that lets seconds of a window see each other; adapter `sound` reads sound only and has none.
 */

import type { AdapterManifest, BackboneManifest, GraphFiles } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs, ModelPackage, VariantName } from '../../sdk/contract/model.ts';
import { wholeBackbone } from '../../sdk/contract/pair.ts';
import { type CanaryNumbers, canaryInput } from '../../sdk/engine/canary.ts';
import type { EngineSegment } from '../../sdk/engine/types.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { type TinyGraph, tinyOnnx } from './tiny-onnx.ts';

export const windowSize = 4;
const sampleRate = 800;

const manifestBase = {
  schema: 1 as const,
  version: '1.0.0',
  license: 'MIT',
  requires: { sdk: '*' },
  canary: null,
  files: [],
};

const pictureWeights = wave(12 * 2, 0.3);
const soundWeights = wave(4 * 2, 0.7);
const clipWeights = wave(windowSize * windowSize, 1.1);

const visualGraph: TinyGraph = {
  inputs: [['picture', [1, 3, 4, 4]]],
  outputs: [
    ['v0', [1, 4, 2]],
    ['v1', [1, 4, 2]],
  ],
  nodes: [
    { op: 'Reshape', inputs: ['picture', 'shape'], output: 'flat' },
    { op: 'MatMul', inputs: ['flat', 'w'], output: 'v0' },
    { op: 'Tanh', inputs: ['v0'], output: 'v1' },
  ],
  weights: [
    { name: 'shape', shape: [3], ints: [1, 4, 12] },
    { name: 'w', shape: [12, 2], floats: pictureWeights },
  ],
};

const audioGraph: TinyGraph = {
  inputs: [['sound', [1, 1, 4, 4]]],
  outputs: [['a0', [1, 4, 2]]],
  nodes: [
    { op: 'Reshape', inputs: ['sound', 'shape'], output: 'flat' },
    { op: 'MatMul', inputs: ['flat', 'w'], output: 'a0' },
  ],
  weights: [
    { name: 'shape', shape: [3], ints: [1, 4, 4] },
    { name: 'w', shape: [4, 2], floats: soundWeights },
  ],
};

const mixSegmentGraph: TinyGraph = {
  inputs: [
    ['v0', [1, 4, 2]],
    ['a0', [1, 4, 2]],
  ],
  outputs: [
    ['tokens', [1, 4, 2]],
    ['attention', [1, 4, 2]],
  ],
  nodes: [
    { op: 'Add', inputs: ['v0', 'a0'], output: 'sum' },
    { op: 'Tanh', inputs: ['sum'], output: 'tokens' },
    { op: 'Sigmoid', inputs: ['v0'], output: 'attention' },
  ],
  weights: [],
};

const mixClipGraph: TinyGraph = {
  inputs: [
    ['tokens', [windowSize, 4, 2]],
    ['mask', [windowSize]],
  ],
  outputs: [['scores', [windowSize, 8]]],
  nodes: [
    { op: 'Reshape', inputs: ['tokens', 'rows'], output: 'flat' },
    { op: 'Reshape', inputs: ['mask', 'column'], output: 'present' },
    { op: 'Mul', inputs: ['flat', 'present'], output: 'masked' },
    { op: 'MatMul', inputs: ['mixing', 'masked'], output: 'mixed' },
    { op: 'Add', inputs: ['mixed', 'present'], output: 'scores' },
  ],
  weights: [
    { name: 'rows', shape: [2], ints: [windowSize, 8] },
    { name: 'column', shape: [2], ints: [windowSize, 1] },
    { name: 'mixing', shape: [windowSize, windowSize], floats: clipWeights },
  ],
};

const soundSegmentGraph: TinyGraph = {
  inputs: [['a0', [1, 4, 2]]],
  outputs: [['level', [1, 4, 2]]],
  nodes: [{ op: 'Tanh', inputs: ['a0'], output: 'level' }],
  weights: [],
};

const backboneManifest: BackboneManifest = {
  ...manifestBase,
  kind: 'backbone',
  id: 'tiny',
  untrained: true,
  inputs: {
    visual: { input: 'picture', width: 4, height: 4, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4] },
    audio: {
      input: 'sound',
      layout: 'image',
      repeat: 1,
      window: 64,
      align: 'centre',
      spectrum: 'power',
      scale: 'slaney',
      log: 'decibel',
      sampleRate,
      fftSize: 64,
      hop: 200,
      mels: 4,
      minHz: 20,
      maxHz: 400,
      floor: 1e-10,
      frames: 4,
      mean: -20,
      std: 40,
    },
  },
  networks: { visual: `sha256-${'v'.repeat(43)}=`, audio: `sha256-${'a'.repeat(43)}=` },
  taps: {
    visual: [
      { name: 'v0', layout: 'tokens', tokens: 4, width: 2, grid: [2, 2] },
      { name: 'v1', layout: 'tokens', tokens: 4, width: 2, grid: [2, 2] },
    ],
    audio: [{ name: 'a0', layout: 'tokens', tokens: 4, width: 2, grid: [2, 2] }],
  },
  variants: {
    webgpu: { visual: filesOf('webgpu', 'visual'), audio: filesOf('webgpu', 'audio') },
    wasm: { visual: filesOf('wasm', 'visual'), audio: filesOf('wasm', 'audio') },
  },
};

const base = { id: 'tiny', contract: 'sha256-' as const };

const mixManifest: AdapterManifest = {
  ...manifestBase,
  kind: 'adapter',
  id: 'mix',
  untrained: true,
  task: 'localize',
  classes: ['a'],
  thresholds: null,
  scope: null,
  familiarity: null,
  calibration: null,
  base,
  segment: {
    reads: ['v0', 'a0'],
    outputs: [
      { name: 'tokens', shape: [1, 4, 2], deliver: 'clip' },
      { name: 'attention', shape: [1, 4, 2], deliver: 'segment' },
    ],
  },
  clip: { segments: windowSize, outputs: [{ name: 'scores', shape: [windowSize, 8] }] },
  variants: {
    webgpu: { segment: filesOf('webgpu', 'segment'), clip: filesOf('webgpu', 'clip') },
    wasm: { segment: filesOf('wasm', 'segment'), clip: filesOf('wasm', 'clip') },
  },
};

const soundManifest: AdapterManifest = {
  ...manifestBase,
  kind: 'adapter',
  id: 'sound',
  untrained: false,
  task: 'segment',
  classes: [],
  thresholds: null,
  scope: null,
  familiarity: null,
  calibration: null,
  base,
  segment: { reads: ['a0'], outputs: [{ name: 'level', shape: [1, 4, 2], deliver: 'segment' }] },
  clip: null,
  variants: {
    webgpu: { segment: filesOf('webgpu', 'segment'), clip: null },
    wasm: { segment: filesOf('wasm', 'segment'), clip: null },
  },
};

/** Fresh packages with the files of these variants only. */
export function tinyModels(variants: readonly VariantName[] = ['webgpu', 'wasm']): {
  backbone: ModelPackage<BackboneManifest>;
  adapters: ModelPackage<AdapterManifest>[];
} {
  const pack = (graphs: Record<string, TinyGraph>) =>
    Object.fromEntries(
      variants.flatMap((variant) =>
        Object.entries(graphs).flatMap(([name, graph]) => {
          const paths = filesOf(variant, name);
          const bytes = tinyOnnx(graph, paths.weights);
          return [
            [paths.graph, bytes.graph],
            [paths.weights, bytes.weights],
          ];
        }),
      ),
    );
  return {
    backbone: { manifest: backboneManifest, files: pack({ visual: visualGraph, audio: audioGraph }) },
    adapters: [
      { manifest: mixManifest, files: pack({ segment: mixSegmentGraph, clip: mixClipGraph }) },
      { manifest: soundManifest, files: pack({ segment: soundSegmentGraph }) },
    ],
  };
}

/** Second number `index` of a made-up clip. */
export function tinySegment(index: number): EngineSegment {
  const data = Uint8Array.from({ length: 48 }, (_, i) => (i * 37 + index * 61) % 256);
  const pcm = Float32Array.from({ length: sampleRate }, (_, i) => 0.5 * Math.sin(i * (0.2 + 0.1 * index)));
  return { frame: { width: 4, height: 4, data }, pcm };
}

/** What adapter `mix` must say about one second: `tokens` goes to the clip graph, `attention` to the caller. Each [4 * 2]. */
export function referenceSegment({ frame, pcm }: EngineSegment): {
  tokens: number[];
  attention: number[];
  level: number[];
} {
  const { visual, audio } = wholeBackbone(backboneManifest).inputs;
  const picture = frame ? pictureToTensor(frame, visual) : new Float32Array(48);
  const sound = createLogMel(audio)(pcm ?? new Float32Array(sampleRate));
  const v0 = multiply([...picture], pictureWeights, 4, 12, 2);
  const a0 = multiply([...sound], soundWeights, 4, 4, 2);
  return {
    tokens: v0.map((value, i) => Math.tanh(value + a0[i]!)),
    attention: v0.map((value) => 1 / (1 + Math.exp(-value))),
    level: a0.map(Math.tanh),
  };
}

/** What the canaries of the backbone and of `mix` must hold. */
export function referenceCanaries(): { backbone: CanaryNumbers; mix: CanaryNumbers } {
  const made = (name: string, ...shape: number[]): number[] => [...canaryInput(name, shape)];
  const [v0, a0] = [made('v0', 1, 4, 2), made('a0', 1, 4, 2)];
  const tokens = made('tokens', windowSize, 4, 2);
  const rows = Array.from({ length: windowSize }, (_, row) => tokens.slice(row * 8, row * 8 + 8));
  const v1 = multiply(made('picture', 1, 3, 4, 4), pictureWeights, 4, 12, 2).map(Math.tanh);
  return {
    backbone: {
      visual: { v1: Float32Array.from(v1) },
      audio: { a0: Float32Array.from(multiply(made('sound', 1, 1, 4, 4), soundWeights, 4, 4, 2)) },
    },
    mix: {
      segment: {
        tokens: Float32Array.from(v0, (value, i) => Math.tanh(value + a0[i]!)),
        attention: Float32Array.from(v0, (value) => 1 / (1 + Math.exp(-value))),
      },
      clip: { scores: Float32Array.from(referenceWindow(rows).flat()) },
    },
  };
}

/** The clip graph of `mix` on one window of tokens: [windowSize, 8], rows beyond `tokens` padded. */
export function referenceWindow(tokens: readonly number[][]): number[][] {
  return Array.from({ length: windowSize }, (_, row) =>
    Array.from({ length: 8 }, (_, column) => {
      const mixed = tokens.reduce(
        (sum, token, second) => sum + clipWeights[row * windowSize + second]! * token[column]!,
        0,
      );
      return mixed + (row < tokens.length ? 1 : 0);
    }),
  );
}

/** Largest difference between an output and its reference; Infinity where the lengths differ. */
export function largestError(output: AdapterOutputs[string], reference: readonly number[]): number {
  if (output.data.length !== reference.length) return Number.POSITIVE_INFINITY;
  return reference.reduce((worst, value, i) => Math.max(worst, Math.abs(value - output.data[i]!)), 0);
}

function filesOf(variant: VariantName, name: string): GraphFiles {
  return { graph: `${name}.${variant}.onnx`, weights: `${name}.${variant}.safetensors` };
}

function wave(length: number, step: number): number[] {
  return Array.from({ length }, (_, i) => Math.fround(0.5 * Math.sin(1 + i * step)));
}

function multiply(a: number[], b: number[], rows: number, inner: number, columns: number): number[] {
  return Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a[row * inner + k]! * b[k * columns + (i % columns)]!;
    return sum;
  });
}
