/** Small models and a platform in memory, for tests of the hub. */

import { finishManifest, manifestText, registryEntry, registryText } from '../../sdk/compile/package.ts';
import type { Bytes } from '../../sdk/contract/bytes.ts';
import { contractOf } from '../../sdk/contract/fits.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import { MettleError } from '../../sdk/errors.ts';

export const bytesOf = (text: string) => new TextEncoder().encode(text);

export const backboneDraft: Omit<BackboneManifest, 'files'> = {
  schema: 1,
  kind: 'backbone',
  id: 'nano',
  version: '1.0.0',
  license: 'MIT',
  untrained: true,
  requires: { sdk: '>=0.1 <1' },
  canary: null,
  inputs: {
    visual: { input: 'picture', width: 64, height: 48, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    audio: {
      input: 'sound',
      layout: 'image',
      repeat: 1,
      window: 512,
      align: 'centre',
      spectrum: 'power',
      scale: 'slaney',
      log: 'decibel',
      sampleRate: 16_000,
      fftSize: 512,
      hop: 160,
      mels: 64,
      minHz: 50,
      maxHz: 8000,
      floor: 1e-10,
      frames: 100,
      mean: -20,
      std: 15,
    },
  },
  networks: { visual: `sha256-${'v'.repeat(43)}=`, audio: `sha256-${'a'.repeat(43)}=` },
  taps: {
    visual: [{ name: 'v0', layout: 'tokens', tokens: 12, width: 32, grid: [3, 4] }],
    audio: [{ name: 'a0', layout: 'tokens', tokens: 8, width: 16, grid: [2, 4] }],
  },
  variants: {
    webgpu: {
      visual: { graph: 'visual.webgpu.onnx', weights: 'model.safetensors' },
      audio: { graph: 'audio.webgpu.onnx', weights: 'model.safetensors' },
    },
    wasm: {
      visual: { graph: 'visual.wasm.onnx', weights: 'model.safetensors' },
      audio: { graph: 'audio.wasm.onnx', weights: 'model.safetensors' },
    },
  },
};

export const backboneFiles = {
  'visual.webgpu.onnx': bytesOf('visual graph for webgpu'),
  'audio.webgpu.onnx': bytesOf('audio graph for webgpu'),
  'visual.wasm.onnx': bytesOf('visual graph for wasm'),
  'audio.wasm.onnx': bytesOf('audio graph for wasm'),
  'model.safetensors': bytesOf('weights of the backbone'),
  'README.md': bytesOf('# nano'),
};

export const adapterFiles = {
  'graphs/adapter.webgpu.onnx': bytesOf('adapter graph for webgpu'),
  'graphs/adapter.wasm.onnx': bytesOf('adapter graph for wasm'),
  'graphs/clip.onnx': bytesOf('clip graph'),
  'adapter_model.safetensors': bytesOf('weights of the adapter'),
  'adapter_config.json': bytesOf('{}'),
};

export async function adapterDraft(): Promise<Omit<AdapterManifest, 'files'>> {
  const weights = 'adapter_model.safetensors';
  const clip = { graph: 'graphs/clip.onnx', weights };
  return {
    schema: 1,
    kind: 'adapter',
    id: 'toybox-ave',
    version: '1.0.0',
    license: 'MIT',
    untrained: true,
    requires: { sdk: '>=0.1 <1' },
    canary: null,
    task: 'localize',
    classes: ['dog', 'bell'],
    thresholds: null,
    scope: null,
    familiarity: null,
    calibration: null,
    base: { id: 'nano', contract: await contractOf(backboneDraft) },
    segment: {
      reads: ['v0', 'a0'],
      outputs: [
        { name: 'scores', shape: [1, 3], deliver: 'segment' },
        { name: 'state', shape: [1, 8], deliver: 'clip' },
      ],
    },
    clip: { segments: 10, outputs: [{ name: 'logits', shape: [10, 3] }] },
    variants: {
      webgpu: { segment: { graph: 'graphs/adapter.webgpu.onnx', weights }, clip },
      wasm: { segment: { graph: 'graphs/adapter.wasm.onnx', weights }, clip },
    },
  };
}

export const backboneManifest = () => finishManifest(backboneDraft, backboneFiles);
export const adapterManifest = async () => finishManifest(await adapterDraft(), adapterFiles);

/** A copy of `value` with the field at `path` (dots between names and indices) replaced, or removed where `replacement` is undefined. */
export function changed<T>(value: T, path: string, replacement: unknown): T {
  const copy = structuredClone(value);
  const names = path.split('.');
  const last = names.pop()!;
  let target = copy as Record<string, unknown>;
  for (const name of names) target = target[name] as Record<string, unknown>;
  if (replacement === undefined) delete target[last];
  else target[last] = replacement;
  return copy;
}

/** Files by URL, and the URLs that were read. Every read waits for `gate`, then delivers in two chunks. */
export class MemoryPlatform implements Bytes {
  readonly modelsUrl = 'memory://shipped/';
  readonly files = new Map<string, Uint8Array>();
  readonly reads: string[] = [];
  /** Reads that were aborted. */
  aborted = 0;
  gate: Promise<void> = Promise.resolve();

  resolveUrl = (location: string) => new URL(location, 'memory://page/index.html');

  readFile: Bytes['readFile'] = async (url, { signal, onBytes, limit }) => {
    this.reads.push(url.href);
    const file = this.files.get(url.href);
    if (!file) throw new MettleError('not-found', `${url} does not exist.`);
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        this.aborted++;
        reject(signal.reason);
      });
    });
    await Promise.race([this.gate, aborted]);
    if (limit && file.byteLength > limit.bytes) throw limit.exceeded(file.byteLength);
    onBytes?.(file.byteLength >> 1);
    await Promise.race([Promise.resolve(), aborted]);
    onBytes?.(file.byteLength);
    signal?.throwIfAborted();
    return new Uint8Array(file);
  };

  put(folder: string, files: Record<string, Uint8Array>): void {
    for (const [path, bytes] of Object.entries(files)) this.files.set(folder + path, bytes);
  }
}

/** A platform with both models shipped, and once more under `memory://host/ave/`. */
export async function memoryPlatform(): Promise<MemoryPlatform> {
  const platform = new MemoryPlatform();
  const [backbone, adapter] = [await backboneManifest(), await adapterManifest()];
  platform.put('memory://shipped/backbones/nano/', {
    ...backboneFiles,
    'manifest.json': bytesOf(manifestText(backbone)),
  });
  const folder = { ...adapterFiles, 'manifest.json': bytesOf(manifestText(adapter)) };
  platform.put('memory://shipped/adapters/toybox-ave/', folder);
  platform.put('memory://host/ave/', folder);
  const registry = registryText({
    nano: await registryEntry(backbone, 'backbones/nano/manifest.json'),
    'toybox-ave': await registryEntry(adapter, 'adapters/toybox-ave/manifest.json'),
  });
  platform.put('memory://shipped/', { 'registry.json': bytesOf(registry) });
  return platform;
}
