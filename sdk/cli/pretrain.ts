/** `mettle pretrain`: a backbone's weights from other networks and from pictures or sounds without labels. */

import { type PresetName, presets } from '../models/presets.ts';
import type { PretrainRun } from '../node/pretrain/run.ts';
import { type NumberRange, readDevice, readNumber, readOptions, readThreads, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const PRETRAIN_HELP = `Usage
  mettle pretrain --preset NAME --teacher DIR --material DIR --out FILE.safetensors [options]

Trains a backbone to predict what frozen networks see or hear, with gradients through it. No labels are needed, and few pictures or sounds:
they are cut, turned, mixed and changed without end, and scenes, drawings and sounds that are made up are mixed in. What those show or
play is known, and learned too.
Work in progress lies in FILE.safetensors.work. "mettle backbone import" makes a package of the result.

  --preset NAME       ${Object.keys(presets).join(', ')}
  --teacher DIR       a backbone of the same sense; each of its taps is predicted ("mettle backbone tap" makes one); may be repeated
  --material DIR      folder with pictures, sounds or films; may be repeated
  --exclude REGEX     files whose path fits are left out
  --from FILE         weights to start from (default: noise by the seed)
  --teachers-only     do not learn what made-up scenes show or play
  --out FILE          the weights, with names and shapes as in published checkpoints; must not exist

  --steps N           (default: 4000)
  --batch N           samples per step (default: 32)
  --rate X            highest learning rate (default: 0.001)
  --seed N            starting weights and samples (default: 1)
  --device NAME       cpu, wasm, webgpu or cuda (default: auto, the CPU)
  --threads N         threads of the CPU
  --resume            go on from the checkpoint; the same weights as without the interruption
  --quiet             print nothing but errors and the result
`;

/** Returns the exit code. */
export async function pretrain(argv: string[], io: Io): Promise<number> {
  const { values } = readOptions('pretrain', {
    args: argv,
    options: {
      preset: { type: 'string' },
      teacher: { type: 'string', multiple: true },
      material: { type: 'string', multiple: true },
      exclude: { type: 'string' },
      from: { type: 'string' },
      'teachers-only': { type: 'boolean' },
      out: { type: 'string' },
      steps: { type: 'string' },
      batch: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string' },
      device: { type: 'string' },
      threads: { type: 'string' },
      resume: { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(PRETRAIN_HELP);
    return 0;
  }
  const needed = <T>(name: string, value: T | undefined): T => {
    if (value !== undefined) return value;
    throw usageError(`--${name} is missing.`, 'pretrain');
  };
  const number = (name: 'steps' | 'batch' | 'rate' | 'seed', otherwise: string, range: NumberRange): number =>
    readNumber('pretrain', name, values[name] ?? otherwise, range);
  const options: Omit<PretrainRun, 'signal' | 'onProgress'> = {
    preset: readPreset(needed('preset', values.preset)),
    teachers: needed('teacher', values.teacher),
    material: needed('material', values.material),
    exclude: readPattern(values.exclude),
    from: values.from ?? null,
    teachersOnly: values['teachers-only'] === true,
    out: needed('out', values.out),
    steps: number('steps', '4000', { least: 1 }),
    batch: number('batch', '32', { least: 1 }),
    rate: number('rate', '0.001', { least: Number.MIN_VALUE, whole: false }),
    seed: number('seed', '1', { least: 0 }),
    device: readDevice(values.device),
    threads: readThreads(values.threads),
    resume: values.resume === true,
  };
  const { pretrainOnDisk } = await import('../node/pretrain/run.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  const say = (text: string): void => {
    bar.clear();
    if (!values.quiet) io.stderr.write(`${oneLine(text)}\n`);
  };
  try {
    const { explained, told } = await pretrainOnDisk({
      ...options,
      signal: io.signal,
      onProgress: (progress) => show(progress, bar, say),
    });
    bar.clear();
    for (const { tap, stage, percent } of explained) {
      io.stdout.write(`${tap}  explained by stage ${stage}: ${percent.toFixed(1)} %\n`);
    }
    for (const { stage, percent } of told) {
      if (percent !== null) io.stdout.write(`known classes  explained by stage ${stage}: ${percent.toFixed(1)} %\n`);
    }
    io.stdout.write(`Weights: ${options.out}\n`);
    return 0;
  } finally {
    bar.clear();
  }
}

function show(
  progress: Parameters<NonNullable<PretrainRun['onProgress']>>[0],
  bar: ProgressBar,
  say: (text: string) => void,
): void {
  if (progress.phase === 'material') {
    const { done, total, problem } = progress;
    if (problem) say(`left out: ${problem}`);
    bar.update('Reading material', done, total, `${done}/${total} files`);
  } else if (progress.phase === 'drawn') {
    say(`Material: ${progress.files} files${progress.resumes ? '; resuming from the checkpoint' : ''}`);
  } else {
    const { step, steps, loss, samplesPerSecond, secondsLeft, evaluation } = progress.progress;
    const rest = `loss ${loss.toFixed(3)} · ${samplesPerSecond.toFixed(0)} samples/s · ${Math.ceil(secondsLeft)} s left`;
    bar.update('Training', step, steps, rest);
    if (evaluation) say(`step ${step}  loss ${loss.toFixed(3)}  explained ${evaluation.score.toFixed(1)} %`);
  }
}

function readPreset(value: string): PresetName {
  if (Object.hasOwn(presets, value)) return value as PresetName;
  throw usageError(`--preset "${value}" is none of ${Object.keys(presets).join(', ')}.`, 'pretrain');
}

function readPattern(value: string | undefined): RegExp | null {
  try {
    return value === undefined ? null : new RegExp(value);
  } catch (error) {
    throw usageError(`--exclude: ${(error as Error).message}.`, 'pretrain');
  }
}
