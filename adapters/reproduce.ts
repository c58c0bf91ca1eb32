/**
 * Makes everything that ships again, from data that anyone may have to finished folders: `npx tsx adapters/reproduce.ts --data DIR --work DIR`. Every stage is a
 * command that users have too and is printed before it runs. What is there is not made again, and what was interrupted goes on, so it can be started as often
 * as need be; on two cores the whole takes some hours. Build first (`npm run build`). The last stage puts the folders in their places. `--small` does every
 * stage with next to nothing, into WORK alone, to see in minutes that all of it runs here. `--backbone` trains the everyday adapters beside another one: a folder, or `google` for
 * the networks of Google, whose adapters go to WORK/google and do not ship.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = resolve(here, '..');
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
const mettle = [join(root, 'dist/cli/mettle.js')];
const script = (path: string): string[] => [tsx, join(root, path)];

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    work: { type: 'string' },
    only: { type: 'string' },
    backbone: { type: 'string' },
    list: { type: 'boolean' },
    small: { type: 'boolean', default: false },
  },
});
if (!values.data || !values.work) {
  process.stderr.write(
    'Usage: npx tsx adapters/reproduce.ts --data DIR --work DIR [--only STAGE,...] [--backbone DIR|google] [--list] [--small]\n' +
      'DIR of --data holds pictures/, photos/, clips/, sounds/ and backbones/ (adapters/README.md says what they are).\n',
  );
  process.exit(2);
}
const data = resolve(values.data);
const work = resolve(values.work);
const from = (path: string): string => join(data, path);

const { small } = values;
/** A number of steps, clips or epochs, or the least that shows that a stage runs. */
const amount = (whole: number, least: number): string => String(small ? least : whole);
const epochs = small ? ['--epochs', '1'] : [];

type Stage = { name: string; makes: string; command: string[] };

/** (pixel - 128) / 128. */
const signed = ['--mean', '0.50196078,0.50196078,0.50196078', '--std', '0.50196078,0.50196078,0.50196078'];
const tap = (id: string, model: string, taps: readonly string[], more: readonly string[]): Stage => ({
  name: `teacher-${id}`,
  makes: `teachers/${id}`,
  command: [
    ...mettle,
    ...['backbone', 'tap', from(`backbones/${model}/model.onnx`), ...more],
    ...taps.flatMap((name) => ['--tap', name]),
    ...['--id', id, '--license', 'Apache-2.0', '--out', `teachers/${id}`],
  ],
});
const sound = ['--modality', 'sound', '--front-end', join(here, 'everyday/yamnet.json')];

/** Fold 3 of ESC-10 is what sound backbones are judged by, so none of it is learned from. */
const judged = String.raw`/3-[^/]*\.ogg$`;
const pretrain = (preset: string, steps: number, teachers: readonly string[], more: readonly string[]): Stage => ({
  name: preset,
  makes: `${preset}.safetensors`,
  command: [
    ...[...mettle, 'pretrain', '--preset', preset, '--steps', amount(steps, 4), '--batch', '16', '--resume'],
    ...['--reuse', '1', '--made', '0.6'],
    ...teachers.flatMap((id) => ['--teacher', `./teachers/${id}`]),
    ...more,
    ...['--material', from('clips'), '--out', `${preset}.safetensors`],
  ],
});

/** Two networks as one package. */
const backbone = (id: string, folder: string): Stage => ({
  name: id,
  makes: `backbones/${id}`,
  command: [
    ...[...mettle, 'backbone', 'import', `${folder}/swin-v2-nano.safetensors`, `${folder}/hts-at-nano.safetensors`],
    ...['--preset', 'swin-v2-nano', '--preset', 'hts-at-nano', '--id', id, '--license', 'MIT'],
    ...['--note', join(here, `${id}-card.md`)],
    ...['--forms', 'wasm=stored8,webgpu=stored8', '--out', `backbones/${id}`],
  ],
});
/** Pretraining that goes on with real material; the learning rate falls over a share of the steps, at their end. */
const onward = (
  sense: 'pictures' | 'sounds',
  out: string,
  more: readonly string[],
  [steps, fall, rate]: readonly [steps: number, fall: number, rate: number],
): Stage => ({
  name: `nano-2-${out}`,
  makes: `nano-2/${out}.safetensors`,
  command: [
    ...[...script('adapters/nano/run.ts'), '--data', data, '--work', 'nano-2', '--sense', sense, '--'],
    ...['--reuse', '8', '--steps', amount(steps, 4), '--fall', String(fall), '--rate', String(rate)],
    ...[...more, '--out', `${out}.safetensors`],
  ],
});

const layouts = { 'toybox-ave': 'ave', 'toybox-llp': 'llp', 'toybox-s4': 'avs-s4', 'toybox-ms3': 'avs-ms3' } as const;
const clips = { ave: 1600, llp: 800, 'avs-s4': 2400, 'avs-ms3': 600 } as const;
const toybox = (layout: keyof typeof clips): Stage => ({
  name: `data-${layout}`,
  makes: `data/toybox/${layout}/truth.jsonl`,
  command: [
    ...[...mettle, 'data', 'toybox', '--out', 'data/toybox', '--seed', '1'],
    ...['--clips', amount(clips[layout], 40), '--layouts', layout],
  ],
});
/** Of the toybox adapters, and of the everyday ones. */
const nano = './backbones/nano';
const nano2 = './backbones/nano-2';
const train = (id: string, folder: string, scope: string, more: readonly string[] = []): Stage => ({
  name: id,
  makes: `adapters/${id}`,
  command: [
    ...[...mettle, 'train', '--data', folder, '--backbone', nano, ...epochs, ...more],
    ...['--scope', join(here, `scopes/${scope}.json`)],
    ...['--cache', 'features', '--resume', '--out', `adapters/${id}`],
  ],
});

/** Clips of the real world: scenes for `localize` and `parse`, and clips with masks. */
const compose = (kind: 'scenes' | 'masks', world: string, count: number): Stage => ({
  name: `data-everyday-${kind}`,
  makes: `data/everyday-${world}/events.csv`,
  command: [
    ...[...script('adapters/everyday/compose.ts'), '--data', data, '--out', 'data', '--kind', kind],
    ...['--seed', '1', '--clips', amount(count, 110), '--processes', '2'],
  ],
});
/** Networks of Google as "mettle backbone add" makes them. */
const added = (id: string, file: string): Stage => ({
  name: `google-${id}`,
  makes: `google/backbones/${id}`,
  command: [
    ...[...mettle, 'backbone', 'import', from(`backbones/tflite/${file}.tflite`)],
    ...['--id', id, '--license', 'Apache-2.0', '--out', `google/backbones/${id}`],
  ],
});
const pair = [added('mobilenetv2', 'mobilenet_v2_1.0_224_quant'), added('yamnet', 'yamnet')];
const isGoogle = values.backbone === 'google';
const other = values.backbone === undefined ? undefined : resolve(values.backbone);
const everyday = (world: 'ave' | 'llp' | 'avs', task: string): Stage => {
  const id = `everyday-${world}`;
  const bases = isGoogle ? pair.map(({ makes }) => `./${makes}`) : [other ?? nano2];
  const out = isGoogle ? `google/adapters/${id}-google` : `adapters/${id}`;
  return {
    name: id,
    makes: out,
    command: [
      ...[...mettle, 'train', '--data', `data/${id}`, '--task', task, '--scope', join(here, `scopes/${id}.json`)],
      ...bases.flatMap((base) => ['--backbone', base]),
      // Of networks that long the later half tells things apart, and is what fits on a disk.
      ...(isGoogle && world !== 'avs' ? ['--taps', 'last-half'] : []),
      ...[...epochs, '--note', `data/${id}/card.md`, '--cache', 'features', '--resume', '--out', out],
    ],
  };
};

const qualityOf = (base: string, ids: readonly string[]): string[] => [
  ...[...script('test/bench/quality.ts'), '--work', 'quality', '--data', 'data', '--backbone', base],
  ...['--adapters', 'adapters', '--cache', 'features', '--out', '.', '--only', ids.join(','), ...epochs],
];

const stages: Stage[] = [
  tap('mobilenetv2', 'mobilenetv2', ['tap_05', 'tap_12', 'head'], ['--size', '128x128', ...signed]),
  tap('deeplabv3', 'deeplabv3_mnv2', ['tap_16', 'aspp_merge'], ['--size', '128x128', ...signed]),
  tap('yamnet', 'yamnet', ['tap_05', 'tap_11', 'tap_13'], sound),
  pretrain('swin-v2-nano', 8500, ['mobilenetv2', 'deeplabv3'], ['--material', from('pictures/images')]),
  pretrain('hts-at-nano', 8000, ['yamnet'], ['--material', from('sounds'), '--exclude', judged]),
  backbone('nano', '.'),
  // What was made in many sittings, each in one; the command makes teachers and material first.
  onward('pictures', 'pictures', ['--half', '--from', '../swin-v2-nano.safetensors'], [8630, 0.26, 0.001]),
  onward('pictures', 'swin-v2-nano', ['--from', 'pictures.safetensors'], [300, 1, 0.0003]),
  onward('sounds', 'hts-at-nano', ['--from', '../hts-at-nano.safetensors'], [6750, 0.23, 0.001]),
  backbone('nano-2', 'nano-2'),
  ...Object.keys(clips).map((layout) => toybox(layout as keyof typeof clips)),
  ...Object.entries(layouts).map(([id, layout]) => train(id, `data/toybox/${layout}`, 'toybox')),
  compose('scenes', 'llp', 1200),
  compose('masks', 'avs', 600),
  ...(isGoogle ? pair : []),
  everyday('ave', 'localize'),
  everyday('llp', 'parse'),
  everyday('avs', 'segment'),
  { name: 'quality', makes: '', command: qualityOf(nano, Object.keys(layouts)) },
  {
    name: 'quality-everyday',
    makes: '',
    command: qualityOf(nano2, ['everyday-ave', 'everyday-llp', 'everyday-avs']),
  },
  {
    // What LCD has above the probe is close to its target there: one seed does not tell.
    name: 'quality-seeds',
    makes: '',
    command: [...qualityOf(nano, ['toybox-ave']), '--seeds', small ? '2' : '3'],
  },
  { name: 'ship', makes: '', command: [...script('adapters/ship.ts'), '.', ...(small ? ['shipped'] : [])] },
];

const only = values.only?.split(',');
const chosen = only ? stages.filter(({ name }) => only.includes(name)) : stages;
if (only && chosen.length < only.length) {
  process.stderr.write(
    `There is no such stage in "${values.only}"; there are ${stages.map(({ name }) => name).join(', ')}.\n`,
  );
  process.exit(2);
}
mkdirSync(work, { recursive: true });
for (const { name, makes, command } of chosen) {
  const isThere = makes !== '' && existsSync(join(work, makes));
  process.stdout.write(`${name}${isThere ? ': there already' : `\n  node ${command.join(' ')}`}\n`);
  if (isThere || values.list) continue;
  const { status, signal } = spawnSync(process.execPath, command, { cwd: work, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`${name} ended with ${signal ?? status}. Start again to go on.\n`);
    process.exit(status ?? 130);
  }
}
