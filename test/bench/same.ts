/**
 * `npm run bench:same [-- --clips N --gpu-clips N --folder DIR --adapter DIR... --backbone DIR...]`: whether answers depend on the device. The same clips on Node's CPU, on
 * WASM in Node and in Chromium, and on WebGPU, where a software GPU takes seconds for each second and so gets fewer of them. Every device runs its clips twice, each time in a fresh Mettle:
 * the same input must give the same bytes. Across devices the same events are wanted; differences are listed by task. With `--folder` the films of a folder instead of
 * toybox clips. Prints a table, keeps it in `results/same.json`, and ends with code 1 where a device contradicts itself.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { TaskResult } from '../../sdk/index.ts';
import { commitNow, machine } from './results.ts';
import { folderClips, toyboxClips } from './same-clips.ts';
import { compareResults, type Summary, summarise } from './same-compare.ts';
import { type DeviceName, devices, type Models } from './same-devices.ts';

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '100' },
    'gpu-clips': { type: 'string', default: '1' },
    folder: { type: 'string' },
    adapter: { type: 'string', multiple: true },
    backbone: { type: 'string', multiple: true },
  },
});

type Ran = {
  clips: number;
  /** Clips of which the second run said something else. */
  unsteady: string[];
  /** Against the reference. */
  against: Summary[];
};
type KeptRun = {
  commit: string;
  machine: string;
  node: string;
  date: string;
  models: Models;
  devices: Record<string, Ran | string>;
};

const toybox = ['toybox-ave', 'toybox-llp', 'toybox-s4', 'toybox-ms3'];
const [first, second] = values.backbone ?? [];
const models: Models = {
  adapters: values.adapter ?? toybox,
  ...(first && { backbone: second ? [first, second] : first }),
};
const count = Number(values.clips);
const clips = values.folder ? await folderClips(values.folder, count) : toyboxClips(count);
const ran: Record<string, Ran | string> = {};
let reference: TaskResult[][] | undefined;
for (const [name, device] of Object.entries(devices)) {
  const own = name === ('Chromium WebGPU' satisfies DeviceName) ? clips.slice(0, Number(values['gpu-clips'])) : clips;
  try {
    const one = await device(own, models);
    const two = await device(own, models);
    const found = one.map((text) => JSON.parse(text) as TaskResult[]);
    reference ??= found;
    const compared = own.map((clip, i) => ({ name: clip.name, found: compareResults(reference![i]!, found[i]!) }));
    const unsteady = own.filter((_, i) => one[i] !== two[i]).map((clip) => clip.name);
    ran[name] = { clips: own.length, unsteady, against: summarise(compared) };
  } catch (error) {
    if (!reference) throw error;
    ran[name] = `not run: ${(error as Error).message.split('\n')[0]}`;
  }
  print(name, ran[name]!);
}

function print(name: string, run: Ran | string): void {
  if (typeof run === 'string') {
    console.log(`\n${name}: ${run}`);
    return;
  }
  console.log(`\n${name}: ${run.clips} clips; other bytes in the second run: ${run.unsteady.join(', ') || 'none'}`);
  const percent = ({ differ, all }: Summary['pixels']): string =>
    all ? `${((100 * differ) / all).toFixed(4)} %` : '-';
  console.table(
    run.against.map(({ adapter, task, same, exact, probability, pixels }) => ({
      ...{ adapter, task, 'same events': same, 'same bytes': exact },
      ...{ 'largest difference': probability.toExponential(1), 'pixels that differ': percent(pixels) },
    })),
  );
  for (const { task, differences } of run.against) {
    for (const { clip, lost, added } of differences) {
      console.log(`  ${task}, ${clip}: without ${lost.join(', ') || 'nothing'}; with ${added.join(', ') || 'nothing'}`);
    }
  }
}

const file = new URL('results/same.json', import.meta.url);
const kept: Record<string, KeptRun> = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
const named: Models = {
  adapters: models.adapters.map((name) => basename(name)),
  ...(first && { backbone: basename(first) }),
};
kept[values.folder ? basename(values.folder) : 'toybox'] = {
  ...{ commit: commitNow(), machine: machine(), node: process.version, date: new Date().toISOString().slice(0, 10) },
  ...{ models: named, devices: ran },
};
await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`);
process.exit(Object.values(ran).some((run) => typeof run === 'object' && run.unsteady.length > 0) ? 1 : 0);
