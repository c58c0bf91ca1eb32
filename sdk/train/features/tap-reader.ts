/**
 * Reads a frozen backbone's taps second by second. To the engine it is an adapter whose graph hands its inputs on, so training sees exactly what
 * inference sees, on every device and through every queue. All taps come in one array: from a GPU each array costs a wait of its own.
 */

import { concatenate } from '../../arrays.ts';
import { finishManifest } from '../../compile/package.ts';
import type { Segment } from '../../contract/clip.ts';
import { contractOf } from '../../contract/fits.ts';
import type { AdapterManifest, BackboneManifest, Tap } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import { tapShape } from '../../contract/taps.ts';
import type { Engine } from '../../engine/types.ts';
import { writeOnnx } from '../../onnx/writer.ts';
import { concat, Graph, reshape, sizeOf } from '../../ops/index.ts';

const id = 'tap-reader';
/** No tap is called so: a graph may not give what it reads. */
const output = 'taps/read';

/** An adapter package that hands on these taps; load it beside the backbone, then use `readTaps` with the same taps. */
export async function tapReader(base: BackboneManifest, taps: readonly Tap[]): Promise<ModelPackage<AdapterManifest>> {
  const graph = new Graph();
  const parts = taps.map((tap) => reshape(graph.input(tap.name, tapShape(tap)), [1, sizeOf(tapShape(tap))]));
  const all = concat(parts, 1);
  const files = { 'segment.onnx': writeOnnx({ [output]: all }), 'none.safetensors': new Uint8Array(1) };
  const forms = { segment: { graph: 'segment.onnx', weights: 'none.safetensors' }, clip: null };
  const manifest = await finishManifest(
    {
      schema: 1,
      kind: 'adapter',
      id,
      version: '0.0.0',
      license: 'none',
      untrained: true,
      requires: { sdk: '>=0.1 <1' },
      canary: null,
      task: 'segment',
      classes: [],
      thresholds: null,
      scope: null,
      familiarity: null,
      calibration: null,
      base: { id: base.id, contract: await contractOf(base) },
      segment: {
        reads: taps.map(({ name }) => name),
        outputs: [{ name: output, shape: [...all.shape], deliver: 'segment' as const }],
      },
      clip: null,
      variants: { webgpu: forms, wasm: forms },
    },
    files,
  );
  return { manifest, files };
}

/** Taps of `seconds` seconds of a clip from `start` on (or fewer, where it ends), by name: [seconds, tokens, width], maps [seconds, width, rows, columns]. `engine` must have a reader of these `taps` loaded. */
export async function readTaps(
  engine: Engine,
  taps: readonly Tap[],
  segments: AsyncIterable<Segment>,
  span: { start: number; seconds: number },
): Promise<{ seconds: number; taps: Record<string, Float32Array> }> {
  const rows = taps.map((): Float32Array[] => []);
  let passed = 0;
  let seconds = 0;
  const run = await engine.begin([id]);
  try {
    for await (const { frame, pcm } of segments) {
      if (passed++ < span.start) continue;
      const outputs = await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
      const { data } = outputs[id]![output]!;
      let at = 0;
      taps.forEach((tap, i) => {
        const end = at + sizeOf(tapShape(tap));
        rows[i]!.push(data.subarray(at, end));
        at = end;
      });
      if (++seconds === span.seconds) break;
    }
  } finally {
    await engine.cancel(run);
  }
  const joined = taps.map(({ name }, i) => [name, concatenate(rows[i]!)]);
  return { seconds, taps: Object.fromEntries(joined) };
}
