/**
 * Reads a frozen backbone's taps second by second. To the engine it is an adapter whose graph hands its inputs on, so training sees exactly what
 * inference sees, on every device and through every queue.
 */

import { concatenate } from '../arrays.ts';
import type { Engine, ModelPackage } from '../engine/types.ts';
import { contractOf } from '../hub/contract.ts';
import type { AdapterManifest, BackboneManifest } from '../hub/manifest.ts';
import { finishManifest } from '../hub/package.ts';
import type { Segment } from '../media/types.ts';
import { tapShape } from '../models/taps.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { Graph } from '../ops/index.ts';

const id = 'tap-reader';
const outputOf = (tap: string): string => `${tap}/read`;

/** An adapter package that hands on these taps; load it beside the backbone, then use `readTaps`. */
export async function tapReader(
  base: BackboneManifest,
  names: readonly string[],
): Promise<ModelPackage<AdapterManifest>> {
  const taps = new Map([...base.taps.visual, ...base.taps.audio].map((tap) => [tap.name, tap]));
  const chosen = names.map((name) => taps.get(name)!);
  const graph = new Graph();
  const outputs = chosen.map((tap) => [outputOf(tap.name), graph.input(tap.name, tapShape(tap))] as const);
  const files = { 'segment.onnx': writeOnnx(Object.fromEntries(outputs)), 'none.safetensors': new Uint8Array(1) };
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
      task: 'segmentation',
      classes: [],
      thresholds: null,
      base: { id: base.id, contract: await contractOf(base) },
      segment: {
        reads: [...names],
        outputs: chosen.map((tap) => ({ name: outputOf(tap.name), shape: tapShape(tap), deliver: 'segment' as const })),
      },
      clip: null,
      variants: { webgpu: forms, wasm: forms },
    },
    files,
  );
  return { manifest, files };
}

/** Taps of `seconds` seconds of a clip from `start` on (or fewer, where it ends), by name: [seconds, tokens, width], maps [seconds, width, rows, columns]. `engine` must have the tap reader loaded. */
export async function readTaps(
  engine: Engine,
  segments: AsyncIterable<Segment>,
  span: { start: number; seconds: number },
): Promise<{ seconds: number; taps: Record<string, Float32Array> }> {
  const rows = new Map<string, Float32Array[]>();
  let passed = 0;
  let seconds = 0;
  const run = await engine.begin([id]);
  try {
    for await (const { frame, pcm } of segments) {
      if (passed++ < span.start) continue;
      const outputs = await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
      for (const [name, { data }] of Object.entries(outputs[id]!)) {
        const tap = name.replace(/\/read$/, '');
        const parts = rows.get(tap);
        if (parts) parts.push(data);
        else rows.set(tap, [data]);
      }
      if (++seconds === span.seconds) break;
    }
  } finally {
    await engine.cancel(run);
  }
  const taps = [...rows].map(([name, parts]) => [name, concatenate(parts)]);
  return { seconds, taps: Object.fromEntries(taps) };
}
