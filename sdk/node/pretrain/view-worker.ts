/** A thread that makes views: it opens teachers and material of its own, then answers each message with a piece that is on disk. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { runtimes } from '#runtimes';
import { loadModel } from '../../hub/hub.ts';
import { presets } from '../../models/presets.ts';
import { makerOf } from '../../train/pretrain/maker.ts';
import { Teacher } from '../../train/pretrain/teacher.ts';
import { pieceSize, viewBytes, writeView } from './bank.ts';
import { openMaterial } from './material.ts';
import type { PieceAnswer, PieceTask, WorkerPlan } from './view-pool.ts';

const { preset: name, teachers: locations, hub, scales, material, seed, head } = workerData as WorkerPlan;
const preset = presets[name];

async function open() {
  const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 1 });
  const teachers: Teacher[] = [];
  for (const [i, location] of locations.entries()) {
    const teacher = await Teacher.open(runtime, await loadModel(location, 'backbone', 'wasm', hub), preset.modality);
    teacher.scaleBy(scales[i]!);
    teachers.push(teacher);
  }
  const problem = (text: string): void => answer({ problem: text });
  return { teachers, runtime, ...makerOf({ preset, teachers, material: openMaterial(material, problem), seed }) };
}

const opened = open();
// A failure is told with the first task.
opened.catch(() => {});

const answer = (message: PieceAnswer): void => parentPort!.postMessage(message);

let stopped = false;

async function make({ first, path }: Exclude<PieceTask, 'stop'>): Promise<void> {
  const { make, fields } = await opened;
  const bytes = viewBytes(fields);
  const content = Buffer.alloc(head.length + pieceSize * bytes);
  content.set(head);
  for (let slot = 0; slot < pieceSize; slot++) {
    if (stopped) return;
    writeView(await make(first + slot), fields, content, head.length + slot * bytes);
  }
  const draft = `${path}.part`;
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

let last: Promise<void> = Promise.resolve();

/** When what is being made has come to its next view, lets go of all that would keep the thread alive. */
async function stop(): Promise<void> {
  stopped = true;
  await last;
  const { teachers, runtime } = await opened;
  for (const teacher of teachers) await teacher.dispose();
  runtime.dispose();
}

parentPort!.on('message', (task: PieceTask) => {
  if (task === 'stop') {
    void stop()
      .catch(() => {})
      .finally(() => parentPort!.close());
    return;
  }
  last = make(task).then(
    () => answer({ done: task.first }),
    (error: Error & { code?: string; hint?: string }) => {
      const { message, code, hint } = error;
      answer({ failed: task.first, message, code: code ?? '', hint: hint ?? '' });
    },
  );
});
