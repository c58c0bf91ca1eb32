/**
 * `npx tsx adapters/nano/checkpoint.ts WORK NAME`: what a pretraining has come to, small enough for the repository, as `adapters/checkpoints/NAME-1.safetensors`,
 * `NAME-2...` of at most 4 MB each. They hold the moving average of all weights, those of the heads among them, in half precision, without the optimizer's moments, which
 * a few hundred steps bring back. `mettle pretrain --from` takes all parts and goes on. WORK is the run's folder, `OUT.safetensors.work`, or a file of weights that no run has changed yet.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DiskStore } from '../../sdk/node/files/file-store.ts';
import { encodeHalf } from '../../sdk/onnx/float16.ts';
import { readSafetensors, type TensorData, toFloat32, writeSafetensors } from '../../sdk/onnx/safetensors.ts';

const [work, name] = process.argv.slice(2);
if (work === undefined || name === undefined) {
  process.stderr.write('Usage: npx tsx adapters/nano/checkpoint.ts OUT.safetensors.work|FILE.safetensors NAME\n');
  process.exit(2);
}
const mostBytes = 4_000_000;
const isRun = work.endsWith('.work');
const prefix = isRun ? 'average/' : '';

const path = isRun ? join(work, 'checkpoint.safetensors') : work;
const { tensors, metadata } = readSafetensors(new Uint8Array(await readFile(path)), path);
const step = Number(metadata.step ?? 0);
const plan = JSON.parse(metadata.plan ?? '{}') as { batch?: number; start?: number; from?: string[] };
const parts: Record<string, TensorData>[] = [{}];
let bytes = 0;
for (const [key, tensor] of tensors) {
  if (!key.startsWith(prefix)) continue;
  const data = encodeHalf(toFloat32(tensor));
  if (bytes + data.byteLength > mostBytes) {
    parts.push({});
    bytes = 0;
  }
  bytes += data.byteLength + 200;
  parts.at(-1)![key.slice(prefix.length)] = { dtype: 'F16', shape: tensor.shape, data };
}
const log = (await readFile(join(work, 'log.jsonl'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
const curve = log.map((line) => JSON.parse(line)).filter(({ evaluation }) => evaluation);
const facts = {
  step,
  visits: step * (plan.batch ?? 0),
  start: plan.start ?? 0,
  // Names alone: where the files lay is this machine's business.
  plan: { ...plan, from: plan.from?.map((file) => basename(file)) },
  explained: curve.map(({ step: at, evaluation }) => [at, Number(evaluation.score.toFixed(2))]),
};
const store = new DiskStore(fileURLToPath(new URL('../checkpoints', import.meta.url)));
for (const [i, part] of parts.entries()) {
  const bytes = writeSafetensors(part, { mettle: JSON.stringify({ ...facts, part: i + 1, parts: parts.length }) });
  await store.save(`${name}-${i + 1}.safetensors`, bytes);
  process.stdout.write(`${name}-${i + 1}.safetensors  ${(bytes.length / 1e6).toFixed(2)} MB\n`);
}
process.stdout.write(`step ${step}, ${facts.visits} visits\n`);
