/** Reading and checking options; what is wrong becomes an `invalid-argument` with the option's name. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { DeviceRequest } from '../contract/device.ts';
import { limits } from '../contract/limits.ts';
import { DEFAULT_BACKBONE } from '../contract/registry.ts';
import { TASKS, type Task } from '../contract/task.ts';
import { didYouMean } from '../did-you-mean.ts';
import { MettleError } from '../errors.ts';
import { readSmall } from '../node/disk.ts';
import { locateAdded } from './added.ts';

export const COMMON_OPTIONS = {
  device: { type: 'string' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `parseArgs`, with errors of ours that point to the command's help. */
export function readOptions<T extends ParseArgsConfig>(command: string, config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [sentence] = error.message.split(/\. |\n/);
    const unknown = /^Unknown option '(-[^']*)'/.exec(error.message)?.[1];
    const known = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    const meant = unknown === undefined ? '' : didYouMean(unknown, known);
    throw usageError(`${sentence!.replace(/\.$/, '')}.${meant}`, command);
  }
}

export function usageError(message: string, command?: string): MettleError {
  const hint = command ? `Run "mettle ${command} --help" for all options.` : 'Run "mettle --help" for all commands.';
  return new MettleError('invalid-argument', message, { hint });
}

export function readDevice(value: string | undefined): DeviceRequest {
  const known = ['auto', 'cpu', 'wasm', 'webgpu', 'cuda'] as const;
  const device = known.find((name) => name === (value ?? 'auto'));
  if (device) return device;
  throw new MettleError('invalid-argument', `--device "${value}" is unknown.${didYouMean(value!, known)}`, {
    hint: `Choose one of ${known.join(', ')}.`,
  });
}

/** One backbone, or a pair: the option given twice, or once with a comma. Names of added ones become their folders. */
export function readBackbone(values: readonly string[] = [DEFAULT_BACKBONE]): string | readonly [string, string] {
  const names = (values.length === 1 ? values[0]!.split(',') : values).map((name) => name.trim());
  const [one, other, ...more] = names;
  if (!names.includes('') && one && more.length === 0) {
    return other ? [locateAdded(one), locateAdded(other)] : locateAdded(one);
  }
  throw new MettleError('invalid-argument', `--backbone takes one backbone or two, got "${values.join(' ')}".`, {
    hint: 'Two are one for pictures and one for sounds: --backbone ./pictures --backbone ./sounds.',
  });
}

export function readThreads(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,2}$/.test(value)) return Number(value);
  throw new MettleError('invalid-argument', `--threads must be a whole number from 1 to 999, got "${value}".`, {
    hint: 'Leave it out to let half of the cores work.',
  });
}

/** Both ends included; `whole` (the default) leaves out fractions. */
export type NumberRange = { least: number; most?: number; whole?: boolean };

/** The number that an option of `command` was given. */
export function readNumber(command: string, name: string, value: string, range: NumberRange): number {
  const { least, most = Number.POSITIVE_INFINITY, whole = true } = range;
  const x = Number(value);
  const inside = value.trim() !== '' && Number.isFinite(x) && x >= least && x <= most;
  if (inside && (!whole || Number.isSafeInteger(x))) return x;
  const bounds = `from ${least} ${Number.isFinite(most) ? `to ${most}` : 'on'}`;
  throw usageError(`--${name} must be a ${whole ? 'whole ' : ''}number ${bounds}, got "${value}".`, command);
}

/** One of a few words; undefined where the option was left out. */
export function readChoice<T extends string>(
  name: string,
  value: string | undefined,
  known: readonly T[],
): T | undefined {
  const found = known.find((word) => word === value);
  if (found !== undefined || value === undefined) return found;
  throw new MettleError('invalid-argument', `--${name} "${value}" is unknown.${didYouMean(value, known)}`, {
    hint: `Choose one of ${known.join(', ')}.`,
  });
}

/** Text of the file that `--note` names, to be put into a card; null without. */
export async function readNote(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  try {
    return new TextDecoder().decode(await readSmall(path, 'a note', limits.noteBytes)).trim();
  } catch (cause) {
    const { code, hint } = cause as MettleError;
    throw new MettleError(code, `--note: ${(cause as Error).message}`, { hint, cause });
  }
}

/** Each task once, in the order given; undefined for all. */
export function readTasks(value: string | undefined): Task[] | undefined {
  if (value === undefined) return undefined;
  const tasks = value.split(',').map((name) => {
    const task = TASKS.find((known) => known === name.trim());
    if (task) return task;
    throw new MettleError(
      'invalid-argument',
      `--tasks: "${name.trim()}" is no task.${didYouMean(name.trim(), TASKS)}`,
      {
        hint: `Name some of ${TASKS.join(', ')}, separated by commas.`,
      },
    );
  });
  return [...new Set(tasks)];
}
