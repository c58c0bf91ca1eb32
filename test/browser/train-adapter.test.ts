/** Training in a page from clips in memory to an adapter that the engine runs: `mettle-edge/train` on WASM. */
import { expect, it } from 'vitest';
import { openClip } from '../../sdk/index.ts';
import {
  type AdapterProgress,
  configFor,
  type Dataset,
  type DatasetItem,
  type ItemAccess,
  memoryStore,
  openTools,
  trainAdapter,
} from '../../sdk/train/index.ts';

const seconds = 2;
const sampleRate = 16_000;

/** A clip of class 0 is bright and hums low, one of class 1 is dark and whistles; the second second is background, grey and silent. */
function clipOf(label: number) {
  const [side, tone] = [16, label === 0 ? 200 : 3000];
  const frames = [label === 0 ? 230 : 20, 128].map((grey) => ({
    width: side,
    height: side,
    data: new Uint8Array(side * side * 3).fill(grey),
  }));
  const wave = Float32Array.from({ length: seconds * sampleRate }, (_, i) =>
    i < sampleRate ? 0.5 * Math.sin((2 * Math.PI * tone * i) / sampleRate) : 0,
  );
  return { frames, frameRate: 1, audio: { channels: [wave], sampleRate } };
}

const items = Array.from({ length: 5 }, (_, i): DatasetItem => {
  const labels = { task: 'localize' as const, seconds: Int32Array.of(i % 2, 2) };
  const split = i < 4 ? 'train' : 'val';
  return { id: `clip ${i}`, split, seconds, source: { kind: 'video', path: String(i) }, labels };
});
const dataset: Dataset = {
  task: 'localize',
  format: 'folder',
  classes: ['hum', 'whistle'],
  items,
  annotated: { train: 4, val: 1, test: 0 },
  findings: [],
};
const labelOf = ({ labels }: DatasetItem): number => (labels as { seconds: Int32Array }).seconds[0]!;
const access: ItemAccess = {
  async *segments(item, format, signal) {
    await using clip = await openClip(clipOf(labelOf(item)), { signal });
    yield* clip.segments(format, { signal });
  },
  fingerprint: async ({ id }) => id,
  readMask: async () => {
    throw new Error('there are no masks');
  },
};

it('trains from clips in memory, and the engine runs what came of it', { timeout: 300_000 }, async () => {
  const tools = await openTools({ device: 'wasm', runtimePath: '/node_modules/onnxruntime-web/dist/' });
  const store = memoryStore();
  const seen: AdapterProgress[] = [];
  try {
    const trained = await trainAdapter({
      ...tools,
      id: 'made-here',
      license: 'MIT',
      dataset,
      access,
      config: configFor(dataset, { taps: 'stage-ends', layers: 1, distill: { tokens: 2, width: 16 } }),
      epochs: 2,
      batch: 2,
      seed: 1,
      cache: { store, budget: 1e8 },
      checkpoint: { store, resume: false },
      onProgress: (progress) => seen.push(progress),
    });
    expect(trained.result.last.step).toBe(4);
    expect(trained.skipped).toEqual([]);
    expect(trained.figures.val?.report).toMatchObject({ task: 'localize', clips: 1 });
    expect(seen.map(({ phase }) => phase)).toEqual([
      'cache',
      ...Array(5).fill('features'),
      ...Array(4).fill('training'),
      'evaluation',
      ...Array(4).fill('calibration'),
    ]);
    expect(await store.load('checkpoint.safetensors')).not.toBeNull();

    const { manifest, files } = trained.package;
    expect(manifest).toMatchObject({ id: 'made-here', untrained: false, classes: ['hum', 'whistle'] });
    const { engine, backbone, device, runtimePath } = tools;
    await engine.load({ backbone, adapters: [{ manifest, files }], device, runtimePath });
    const run = await engine.begin(['made-here']);
    const { visual, audio } = backbone.manifest.inputs;
    const format = { frame: visual!, sampleRate: audio!.sampleRate };
    for await (const { frame, pcm } of access.segments(items[0]!, format)) {
      await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> });
    }
    const { logits } = (await engine.finish(run))['made-here']!;
    expect(logits!.shape).toEqual([seconds, 3]);
    expect(logits!.data.every(Number.isFinite)).toBe(true);
  } finally {
    await tools.dispose();
  }
});
