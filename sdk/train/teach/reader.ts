/**
 * What a head learns from: per second and sense the mean token of the last layer of each width, normed, those of one width added up and all put one after another. To the engine
 * it is an adapter, so examples are seen in the worker and exactly as they will be when the head runs; what comes back of a second is a few kilobytes.
 */
import { finishManifest } from '../../compile/package.ts';
import { contractOf } from '../../contract/fits.ts';
import type { AdapterManifest, BackboneManifest, Sense, Tap } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import { tapShape } from '../../contract/taps.ts';
import { type AdapterConfig, tapsToDistill } from '../../models/adapter.ts';
import { asTokens } from '../../models/taps.ts';
import { writeOnnx } from '../../onnx/writer.ts';
import { add, concat, Graph, layerNorm, mean, reshape, type Value } from '../../ops/index.ts';

/** What the engine calls it, and its outputs. */
export const readerId = 'lesson-reader';
export const featureOutput: Record<Sense, string> = { audio: 'audio/means', visual: 'visual/means' };

/** Widths in the order of their first layer, and how many layers have each: `[width, layers][]`. */
export type Stages = readonly (readonly [number, number])[];

/** The layers that a head of this configuration reads, by sense and width. */
export function stagesOf(taps: readonly Tap[], config: AdapterConfig): Map<number, Tap[]> {
  const stages = new Map<number, Tap[]>();
  for (const tap of tapsToDistill(taps, config)) stages.set(tap.width, [...(stages.get(tap.width) ?? []), tap]);
  return stages;
}

/** An adapter package whose outputs are {@link featureOutput}, [1, sum of widths] each. */
export async function lessonReader(
  base: BackboneManifest,
  config: AdapterConfig,
  senses: readonly Sense[],
): Promise<ModelPackage<AdapterManifest>> {
  const graph = new Graph();
  const outputs = Object.fromEntries(
    senses.map((sense) => [featureOutput[sense], meansOf(graph, stagesOf(base.taps[sense], config))]),
  );
  const files = { 'segment.onnx': writeOnnx(outputs), 'none.safetensors': new Uint8Array(1) };
  const forms = { segment: { graph: 'segment.onnx', weights: 'none.safetensors' }, clip: null };
  const reads = senses.flatMap((sense) => tapsToDistill(base.taps[sense], config).map(({ name }) => name));
  const manifest = await finishManifest(
    {
      schema: 1,
      kind: 'adapter',
      id: readerId,
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
        reads,
        outputs: Object.entries(outputs).map(([name, { shape }]) => ({
          name,
          shape: [...shape],
          deliver: 'segment' as const,
        })),
      },
      clip: null,
      variants: { webgpu: forms, wasm: forms },
    },
    files,
  );
  return { manifest, files };
}

function meansOf(graph: Graph, stages: ReadonlyMap<number, readonly Tap[]>): Value {
  const parts = [...stages].map(([width, taps]) => {
    const means = taps.map((tap) => layerNorm(mean(asTokens(graph.input(tap.name, tapShape(tap))), [1], true)));
    return reshape(means.reduce(add), [1, width]);
  });
  return concat(parts, 1);
}
