/** `mettle train`: from a folder of data to an adapter that `mettle run` takes. */

import { basename, isAbsolute } from 'node:path';
import { exactForms } from '../compile/variants.ts';
import { limits } from '../contract/limits.ts';
import { jsonText } from '../contract/plain-text.ts';
import { TASKS } from '../contract/task.ts';
import { didYouMean } from '../did-you-mean.ts';
import { MettleError } from '../errors.ts';
import { readSmall } from '../node/disk.ts';
import type { TrainRun } from '../node/train/run.ts';
import { DATA_FORMATS } from '../train/data/index.ts';
import { TRAIN_HELP } from './help.ts';
import { HUB_OPTIONS, readHub } from './hub-options.ts';
import { readForms } from './import-forms.ts';
import {
  COMMON_OPTIONS,
  readBackbone,
  readChoice,
  readDevice,
  readNote,
  readNumber,
  readOptions,
  readThreads,
  usageError,
} from './options.ts';
import { readScope } from './scope.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

/** `number`: an option with a value; all of them may also stand in the file of `--config`. */
const OPTIONS = {
  ...COMMON_OPTIONS,
  ...HUB_OPTIONS,
  format: { type: 'string' },
  task: { type: 'string' },
  data: { type: 'string' },
  backbone: { type: 'string', multiple: true },
  out: { type: 'string' },
  id: { type: 'string' },
  license: { type: 'string' },
  note: { type: 'string' },
  scope: { type: 'string' },
  epochs: { type: 'string' },
  batch: { type: 'string' },
  seed: { type: 'string' },
  rate: { type: 'string' },
  tokens: { type: 'string' },
  taps: { type: 'string' },
  paths: { type: 'string' },
  senses: { type: 'string' },
  width: { type: 'string' },
  layers: { type: 'string' },
  segments: { type: 'string' },
  head: { type: 'string' },
  decoder: { type: 'string' },
  cache: { type: 'string' },
  'cache-gb': { type: 'string' },
  threads: { type: 'string' },
  forms: { type: 'string' },
  exact: { type: 'boolean' },
  config: { type: 'string' },
  resume: { type: 'boolean' },
  'software-gpu': { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const;

export async function train(argv: string[], io: Io): Promise<number> {
  const { values: flags } = readOptions('train', { args: argv, options: OPTIONS });
  if (flags.help) {
    io.stdout.write(TRAIN_HELP);
    return 0;
  }
  const values = { ...(flags.config ? await readConfig(flags.config) : {}), ...flags };
  const { trainOnDisk, figuresText } = await import('../node/train/run.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  const say = (text: string): void => {
    bar.clear();
    if (!values.quiet) io.stderr.write(`${text}\n`);
  };
  try {
    const { trained, reports } = await trainOnDisk({
      ...readRun(values, argv),
      hub: await readHub('train', values),
      note: await readNote(values.note),
      scope: await readScope(values.scope),
      signal: io.signal,
      onProgress: (progress) => show(progress, bar, say),
    });
    for (const { id, reason } of trained.skipped) say(oneLine(`left out: ${id}: ${reason}`));
    if (trained.unmeasured !== null) say(`It will not keep silent: ${trained.unmeasured}`);
    if (trained.refused !== null) say('In 8 bits its outputs would differ too much: the adapter is in float32.');
    io.stdout.write(values.json ? `${jsonText(reports)}\n` : `${figuresText(reports)}\nAdapter: ${values.out}\n`);
    return 0;
  } finally {
    bar.clear();
  }
}

type Values = ReturnType<typeof readOptions<{ options: typeof OPTIONS }>>['values'];
type Progress = Parameters<NonNullable<TrainRun['onProgress']>>[0];

function show(progress: Progress, bar: ProgressBar, say: (text: string) => void): void {
  if (progress.phase === 'device') say(`Device: ${progress.name}`);
  else if (progress.phase === 'data') {
    const { dataset } = progress;
    say(`Data: ${dataset.items.length} clips, ${dataset.format}, ${dataset.task}`);
    for (const { level, message, where } of dataset.findings) {
      if (level !== 'info') say(oneLine(`${level}: ${message}${where && ` (${where})`}`));
    }
  } else if (progress.phase === 'cache') say(`Features: ${progress.policy.reason}`);
  else if (progress.phase === 'features') {
    bar.update('Reading clips', progress.done, progress.total, `${progress.done}/${progress.total}`);
  } else if (progress.phase === 'start') {
    const { resumes, checkpoint } = progress;
    if (resumes) say(checkpoint ? `Resuming from ${checkpoint}` : 'There is no checkpoint: training begins anew');
    else if (checkpoint)
      say(`warning: ${checkpoint} will be written over; with --resume the training would go on from it`);
  } else if (progress.phase === 'evaluation') bar.clear();
  else if (progress.phase === 'calibration') {
    bar.update('Calibrating', progress.done, progress.total, `${progress.done}/${progress.total}`);
  } else if (progress.phase === 'borders') {
    bar.update('Learning borders', progress.done, progress.total, `${progress.done}/${progress.total}`);
  } else {
    const { step, steps, epoch, loss, evaluation, samplesPerSecond, secondsLeft } = progress.progress;
    const megabytes = Math.round(process.memoryUsage().rss / 1e6);
    const rest = `loss ${loss.toFixed(4)} · ${samplesPerSecond.toFixed(1)} clips/s · ${megabytes} MB · ${Math.ceil(secondsLeft)} s left`;
    bar.update('Training', step, steps, rest);
    if (evaluation) say(`epoch ${epoch + 1}  loss ${loss.toFixed(4)}  validation ${evaluation.score.toFixed(2)}`);
  }
}

function readRun(values: Values, argv: readonly string[]): Omit<TrainRun, 'hub' | 'signal' | 'onProgress'> {
  const { data } = values;
  const out = values.out?.replace(/(?<=.)[\\/]+$/, '');
  if (!data) throw usageError('--data DIR is missing.', 'train');
  if (!out) throw usageError('--out DIR is missing.', 'train');
  const format = readChoice('format', values.format, DATA_FORMATS);
  if (values.exact && values.forms) throw usageError('--exact is --forms float32 everywhere; leave one out.', 'train');
  const task = readChoice('task', values.task, TASKS);
  const taps = readChoice('taps', values.taps, ['blocks', 'stage-ends', 'last-half', 'last'] as const);
  const paths = readChoice('paths', values.paths, ['both', 'preservation', 'task', 'none'] as const);
  const senses = readChoice('senses', values.senses, ['both', 'audio', 'visual'] as const);
  const head = readChoice('head', values.head, ['A', 'B'] as const);
  const decoder = readChoice('decoder', values.decoder, ['pyramid', 'linear'] as const);
  const whole = (name: WholeNumber, least: number, most: number): number | undefined => {
    const value = values[name];
    return value === undefined ? undefined : readNumber('train', name, value, { least, most });
  };
  return {
    data,
    format,
    task,
    backbone: readBackbone(values.backbone),
    device: readDevice(values.device),
    softwareGpu: values['software-gpu'] === true,
    threads: readThreads(values.threads),
    out,
    id:
      values.id ??
      basename(out)
        .toLowerCase()
        .replace(/[^a-z0-9._-]/g, '-'),
    license: values.license ?? 'MIT',
    epochs: whole('epochs', 1, 100_000) ?? null,
    batch: whole('batch', 1, 4096) ?? 8,
    seed: whole('seed', 0, Number.MAX_SAFE_INTEGER) ?? 1,
    rate: readNumber('train', 'rate', values.rate ?? '0.001', { least: Number.MIN_VALUE, most: 1, whole: false }),
    config: given({
      taps,
      senses,
      head,
      decoder,
      layers: whole('layers', 0, 24),
      segments: whole('segments', 1, 600),
      distill: given({ paths, tokens: whole('tokens', 1, 64), width: whole('width', 8, 4096) }),
    }),
    forms: values.exact ? exactForms : values.forms ? readForms(values.forms, 'train') : undefined,
    cache: values.cache ?? `${out}.work/features`,
    cacheBytes:
      1e9 * readNumber('train', 'cache-gb', values['cache-gb'] ?? '20', { least: 0, most: 1e6, whole: false }),
    resume: values.resume === true,
    command: ['mettle train', ...argv.map(withoutFolders).map(shellWord)].join(' '),
  };
}

type WholeNumber = 'epochs' | 'batch' | 'seed' | 'tokens' | 'width' | 'layers' | 'segments';

/** Without what was left out. */
const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** An absolute path by its last part: a card goes to others, whom the folders of this machine do not concern. */
function withoutFolders(arg: string): string {
  const [, option = '', value] = /^(--[\w-]+=)?(.*)$/s.exec(arg) ?? [];
  return option + (isAbsolute(value!) ? basename(value!) : value);
}

/** So written that a shell reads it as one word. */
const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

type ConfigValue = string | boolean | string[];

/** A JSON object whose keys are the options' names; flags win over it. */
async function readConfig(path: string): Promise<Record<string, ConfigValue>> {
  const fail: (problem: string, cause?: unknown) => never = (problem, cause) => {
    throw new MettleError('invalid-file', `${path}: ${problem}`, {
      hint: 'Write a JSON object of options, for example {"epochs": 20, "rate": 0.0005}.',
      cause,
    });
  };
  const bytes = await readSmall(path, 'a configuration', limits.noteBytes);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    fail('is no JSON.', error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail('holds no JSON object.');
  return Object.fromEntries(
    Object.entries(json as object).map(([key, value]) => {
      if (!Object.hasOwn(OPTIONS, key) || key === 'config')
        fail(`"${key}" is no option of train.${didYouMean(key, Object.keys(OPTIONS))}`);
      return [key, fromJson(key as keyof typeof OPTIONS, value, fail)];
    }),
  );
}

/** A value of the file as the command line would give it. */
function fromJson(key: keyof typeof OPTIONS, value: unknown, fail: (problem: string) => never): ConfigValue {
  const option = OPTIONS[key];
  if (option.type === 'boolean') return typeof value === 'boolean' ? value : fail(`"${key}" must be true or false.`);
  const values = Array.isArray(value) ? value : [value];
  const texts = values.map((x) =>
    typeof x === 'string' || typeof x === 'number' ? String(x) : fail(`"${key}" must be a text or a number.`),
  );
  if ('multiple' in option) return texts;
  return texts.length === 1 ? texts[0]! : fail(`"${key}" takes one value.`);
}
