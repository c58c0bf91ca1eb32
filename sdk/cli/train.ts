/** `mettle train`: from a folder of data to an adapter that `mettle run` takes. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DeviceRequest } from '../engine/types.ts';
import { MettleError } from '../errors.ts';
import type { TrainRun } from '../node/train/run.ts';
import type { DataFormat } from '../train/data/types.ts';
import { TRAIN_HELP } from './help.ts';
import { COMMON_OPTIONS, readChoice, readDevice, readOptions, readThreads, usageError } from './options.ts';
import { ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export const dataFormats = ['ave', 'llp', 'avs-s4', 'avs-ms3', 'folder'] as const;
const verbs = { localize: 'localization', parse: 'parsing', segment: 'segmentation' } as const;

/** `number`: an option with a value; all of them may also stand in the file of `--config`. */
const OPTIONS = {
  ...COMMON_OPTIONS,
  task: { type: 'string' },
  verb: { type: 'string' },
  data: { type: 'string' },
  backbone: { type: 'string' },
  out: { type: 'string' },
  id: { type: 'string' },
  license: { type: 'string' },
  epochs: { type: 'string' },
  batch: { type: 'string' },
  seed: { type: 'string' },
  rate: { type: 'string' },
  tokens: { type: 'string' },
  taps: { type: 'string' },
  paths: { type: 'string' },
  cache: { type: 'string' },
  'cache-gb': { type: 'string' },
  threads: { type: 'string' },
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
      signal: io.signal,
      onProgress: (progress) => show(progress, bar, say),
    });
    for (const { id, reason } of trained.skipped) say(`left out: ${id}: ${reason}`);
    io.stdout.write(values.json ? `${JSON.stringify(reports)}\n` : `${figuresText(reports)}\nAdapter: ${values.out}\n`);
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
    for (const { level, message } of dataset.findings) if (level !== 'info') say(`${level}: ${message}`);
  } else if (progress.phase === 'cache') say(`Features: ${progress.policy.reason}`);
  else if (progress.phase === 'features') {
    bar.update('Reading clips', progress.done, progress.total, `${progress.done}/${progress.total}`);
  } else if (progress.phase === 'evaluation') bar.clear();
  else {
    const { step, steps, epoch, loss, evaluation, samplesPerSecond, secondsLeft } = progress.progress;
    const megabytes = Math.round(process.memoryUsage().rss / 1e6);
    const rest = `loss ${loss.toFixed(4)} · ${samplesPerSecond.toFixed(1)} clips/s · ${megabytes} MB · ${Math.ceil(secondsLeft)} s left`;
    bar.update('Training', step, steps, rest);
    if (evaluation) say(`epoch ${epoch + 1}  loss ${loss.toFixed(4)}  validation ${evaluation.score.toFixed(2)}`);
  }
}

function readRun(values: Values, argv: readonly string[]): Omit<TrainRun, 'signal' | 'onProgress'> {
  const { data, out } = values;
  if (!data) throw usageError('--data DIR is missing.', 'train');
  if (!out) throw usageError('--out DIR is missing.', 'train');
  const format = readChoice('task', values.task, dataFormats) as DataFormat | undefined;
  const verb = readChoice('verb', values.verb, Object.keys(verbs)) as keyof typeof verbs | undefined;
  const taps = readChoice('taps', values.taps, ['blocks', 'stage-ends', 'last-half'] as const);
  const paths = readChoice('paths', values.paths, ['both', 'preservation', 'task'] as const);
  const tokens = values.tokens === undefined ? undefined : number('tokens', values.tokens, 1, 64);
  return {
    data,
    format,
    task: verb && verbs[verb],
    backbone: values.backbone ?? 'nano',
    device: readDevice(values.device) as DeviceRequest,
    softwareGpu: values['software-gpu'] === true,
    threads: readThreads(values.threads),
    out,
    id:
      values.id ??
      basename(out)
        .toLowerCase()
        .replace(/[^a-z0-9._-]/g, '-'),
    license: values.license ?? 'MIT',
    epochs: number('epochs', values.epochs ?? '30', 1, 100_000),
    batch: number('batch', values.batch ?? '8', 1, 4096),
    seed: number('seed', values.seed ?? '1', 0, Number.MAX_SAFE_INTEGER),
    rate: number('rate', values.rate ?? '0.001', Number.MIN_VALUE, 1, false),
    config: {
      ...(taps ? { taps } : {}),
      distill: { ...(tokens ? { tokens } : {}), ...(paths ? { paths } : {}) },
    },
    cache: values.cache ?? `${out}.work/features`,
    cacheBytes: 1e9 * number('cache-gb', values['cache-gb'] ?? '20', 0, 1e6, false),
    resume: values.resume === true,
    command: ['mettle train', ...argv].join(' '),
  };
}

function number(name: string, value: string, least: number, most: number, whole = true): number {
  const x = Number(value);
  if (value.trim() !== '' && x >= least && x <= most && (!whole || Number.isInteger(x))) return x;
  const kind = whole ? 'a whole number' : 'a number';
  throw new MettleError('invalid-argument', `--${name} must be ${kind} from ${least} to ${most}, got "${value}".`);
}

/** A JSON object whose keys are the options' names; flags win over it. */
async function readConfig(path: string): Promise<Record<string, string | boolean>> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MettleError('invalid-file', `${path}: ${problem}`, {
      hint: 'Write a JSON object of options, for example {"epochs": 20, "rate": 0.0005}.',
      cause,
    });
  };
  const text = await readFile(path, 'utf8').catch((error: unknown) => fail('cannot be read.', error));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    fail('is no JSON.', error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) fail('holds no JSON object.');
  return Object.fromEntries(
    Object.entries(json as object).map(([key, value]) => {
      if (!Object.hasOwn(OPTIONS, key) || key === 'config') fail(`"${key}" is no option of train.`);
      return [key, typeof value === 'boolean' ? value : String(value)];
    }),
  );
}
