/** `mettle pretrain`: a backbone's weights from other networks and from pictures or sounds without labels. */

import { type PresetName, presets } from '../models/presets.ts';
import type { PretrainRun } from '../node/pretrain/run.ts';
import { HUB_HELP, HUB_OPTIONS, readHub } from './hub-options.ts';
import { type NumberRange, readDevice, readNumber, readOptions, readThreads, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const PRETRAIN_HELP = `Usage
  mettle pretrain --preset NAME --teacher DIR --material DIR --out FILE.safetensors [options]

Trains a backbone to predict what frozen networks see or hear, with gradients through it. No labels are needed:
pictures and sounds are cut, turned, mixed and changed without end, and scenes, drawings and sounds that are made up are mixed in. What those
show or play is known, and learned too. Threads make such views and keep them on disk while they are visited.
Work in progress lies in FILE.safetensors.work. "mettle backbone import" makes a package of the result.

  --preset NAME       ${Object.keys(presets).join(', ')}
  --teacher DIR       a backbone of the same sense; each of its taps is predicted ("mettle backbone tap" makes one); may be repeated.
                      A tap of one token is scores of classes, any other a map of features
  --material DIR[=N]  folder with pictures, sounds or films, drawn from N times as often as a folder without N; may be repeated
  --made X            share of what is made up, 0 to 1 (default: 0.1)
  --exclude REGEX     files whose path fits are left out
  --from FILE         weights to start from, or a checkpoint (default: noise by the seed); may be repeated for parts of one
  --teachers-only     do not learn what made-up scenes show or play
  --out FILE          the weights, with names and shapes as in published checkpoints; must not exist

  --steps N           (default: 4000)
  --batch N           samples per step (default: 32)
  --rate X            highest learning rate (default: 0.001)
  --fall X            share of the steps, at the end, in which the rate falls to nearly nothing (default: 1)
  --reuse N           how often each view is visited (default: 4)
  --chapter N         views that are made at a time (default: 2048)
  --start N           number of the first view, for going on from other weights with new views (default: 0)
  --half              pictures of half the width and height: a fifth of the cost, the same weights
  --seed N            starting weights and samples (default: 1)
  --device NAME       cpu, wasm, webgpu or cuda (default: auto, the CPU)
  --threads N         threads of the CPU for the steps
  --makers N          threads that make views (default: half as many as there are cores)
  --resume            go on from the checkpoint; the same weights as without the interruption
${HUB_HELP}
  --quiet             print nothing but errors and the result
`;

/** Returns the exit code. */
export async function pretrain(argv: string[], io: Io): Promise<number> {
  const { values } = readOptions('pretrain', {
    args: argv,
    options: {
      ...HUB_OPTIONS,
      preset: { type: 'string' },
      teacher: { type: 'string', multiple: true },
      material: { type: 'string', multiple: true },
      made: { type: 'string' },
      exclude: { type: 'string' },
      from: { type: 'string', multiple: true },
      'teachers-only': { type: 'boolean' },
      out: { type: 'string' },
      steps: { type: 'string' },
      batch: { type: 'string' },
      rate: { type: 'string' },
      fall: { type: 'string' },
      reuse: { type: 'string' },
      chapter: { type: 'string' },
      start: { type: 'string' },
      half: { type: 'boolean' },
      seed: { type: 'string' },
      device: { type: 'string' },
      threads: { type: 'string' },
      makers: { type: 'string' },
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
  const number = (
    name: 'steps' | 'batch' | 'rate' | 'seed' | 'made' | 'fall' | 'reuse' | 'chapter' | 'start' | 'makers',
    otherwise: string,
    range: NumberRange,
  ): number => readNumber('pretrain', name, values[name] ?? otherwise, range);
  const options: Omit<PretrainRun, 'hub' | 'signal' | 'onProgress'> = {
    preset: readPreset(needed('preset', values.preset)),
    teachers: needed('teacher', values.teacher),
    material: needed('material', values.material).map(readFolder),
    made: number('made', '0.1', { least: 0, most: 1, whole: false }),
    exclude: readPattern(values.exclude),
    from: values.from ?? [],
    teachersOnly: values['teachers-only'] === true,
    out: needed('out', values.out),
    steps: number('steps', '4000', { least: 1 }),
    batch: number('batch', '32', { least: 1 }),
    rate: number('rate', '0.001', { least: Number.MIN_VALUE, whole: false }),
    fall: number('fall', '1', { least: 0, most: 1, whole: false }),
    reuse: number('reuse', '4', { least: 1 }),
    chapter: number('chapter', '2048', { least: 1 }),
    start: number('start', '0', { least: 0 }),
    half: values.half === true,
    seed: number('seed', '1', { least: 0 }),
    device: readDevice(values.device),
    threads: readThreads(values.threads),
    ...(values.makers === undefined ? {} : { makers: number('makers', values.makers, { least: 1 }) }),
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
      hub: await readHub('pretrain', values),
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
  if (progress.phase === 'problem') {
    say(`left out: ${progress.problem}`);
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

/** `DIR=N`, or `DIR` for `DIR=1`. */
function readFolder(value: string): { folder: string; share: number } {
  const match = /^(.+)=(\d+(?:\.\d+)?)$/.exec(value);
  return match ? { folder: match[1]!, share: Number(match[2]) } : { folder: value, share: 1 };
}

function readPattern(value: string | undefined): RegExp | null {
  try {
    return value === undefined ? null : new RegExp(value);
  } catch (error) {
    throw usageError(`--exclude: ${(error as Error).message}.`, 'pretrain');
  }
}
