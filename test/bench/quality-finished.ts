/** The shipped adapter as a run of the quality bench: what `mettle train` left on the disk, if it was trained with the bench's budget. */
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contractOf } from '../../sdk/contract/fits.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { Weights } from '../../sdk/models/params.ts';
import { exists } from '../../sdk/node/files/file-store.ts';
import { readSafetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { configFor } from '../../sdk/train/adapter/config.ts';
import { stepsPerEpoch } from '../../sdk/train/loop/batches.ts';
import { checkpointName } from '../../sdk/train/loop/trainer.ts';
import type { EvaluationReport } from '../../sdk/train/metrics/report.ts';
import type { Place } from './quality-train.ts';

export type Finished = {
  reports: EvaluationReport[];
  /** Score on the validation split. */
  validation: number | null;
  weights: Weights;
  manifest: AdapterManifest;
};

/** Copies the adapter `folder` to `out` and says what it is; null where it is not there. Throws where it is of another budget, backbone or shape. */
export async function takeFinished(place: Place, folder: string, out: string): Promise<Finished | null> {
  if (!(await exists(folder))) return null;
  const json = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
  const manifest = await json<AdapterManifest>('manifest.json');
  const { config, best } = await json<{ config: unknown; best: { evaluation: { score: number } } | null }>(
    'adapter_config.json',
  );
  const checkpoint = readSafetensors(new Uint8Array(await readFile(join(`${folder}.work`, checkpointName))), folder);
  const plan = JSON.parse(checkpoint.metadata.plan!) as {
    seed: number;
    batch: number;
    examples: number;
    steps: number;
  };
  const { budget, backbone, dataset } = place;
  const agree = (name: string, own: unknown, expected: unknown): void => {
    if (JSON.stringify(own) !== JSON.stringify(expected)) {
      throw new Error(`${folder}: its ${name} is ${JSON.stringify(own)}, the bench has ${JSON.stringify(expected)}`);
    }
  };
  agree('backbone', manifest.base.contract, await contractOf(backbone.manifest));
  agree('configuration', config, configFor(dataset));
  agree(
    'budget',
    [plan.seed, plan.batch, plan.steps / stepsPerEpoch(plan.examples, plan.batch)],
    [budget.seed, budget.batch, budget.epochs],
  );
  await rm(out, { recursive: true, force: true });
  await cp(folder, out, { recursive: true });
  const kind = best ? 'best' : 'parameter';
  const names = [...checkpoint.tensors.keys()].filter((name) => name.startsWith(`${kind}/`));
  return {
    reports: await json<EvaluationReport[]>('evaluation.json'),
    validation: best?.evaluation.score ?? null,
    weights: new Map(names.map((name) => [name.slice(kind.length + 1), toFloat32(tensorOf(checkpoint, name))])),
    manifest,
  };
}
