/** The `mettle` command: which command was meant, and what its end means to the shell. */
import { sdkVersion } from '../contract/version.ts';
import { didYouMean } from '../did-you-mean.ts';
import { assets } from './assets.ts';
import { backbone } from './backbone.ts';
import { borders } from './borders.ts';
import { cache } from './cache.ts';
import { calibrate } from './calibrate.ts';
import { makeCaptions } from './captions.ts';
import { data } from './data.ts';
import { evaluate } from './eval.ts';
import { exportResults } from './export.ts';
import { find } from './find.ts';
import { MAIN_HELP } from './help.ts';
import { info } from './info.ts';
import { keygen } from './keygen.ts';
import { listShippedModels } from './models.ts';
import { usageError } from './options.ts';
import { pack } from './pack.ts';
import { pretrain } from './pretrain.ts';
import { reportError } from './report-error.ts';
import { run } from './run.ts';
import { serve } from './serve.ts';
import { sign } from './sign.ts';
import { teachCommand } from './teach.ts';
import { train } from './train.ts';
import type { CliIo, CreateMettle, Io } from './types.ts';
import { watch } from './watch.ts';

/**
 * Runs a command line, without the program's name, and returns the exit code: 0 done, 1 internal fault, 2 wrong usage or bad input, 130 interrupted.
 * Never throws, never ends the process.
 */
export async function main(argv: string[], io: CliIo): Promise<number> {
  const full: Io = {
    ...io,
    stdin: io.stdin ?? nothing(),
    env: io.env ?? {},
    signal: io.signal ?? new AbortController().signal,
    createMettle: io.createMettle ?? createRealMettle,
    listModels: io.listModels ?? listShippedModels,
  };
  try {
    return await dispatch(argv, full);
  } catch (error) {
    if (full.signal.aborted) {
      full.stderr.write('mettle: interrupted.\n');
      return 130;
    }
    return reportError(error, full, { verbose: argv.includes('--verbose') });
  }
}

const commands: Record<string, (argv: string[], io: Io) => Promise<number>> = {
  run,
  assets,
  borders,
  // Loaded late: what it loads for other processes would slow every other command.
  batch: async (argv, io) => (await import('./batch.ts')).batch(argv, io),
  cache,
  calibrate,
  captions: makeCaptions,
  export: exportResults,
  info,
  backbone,
  data,
  train,
  teach: teachCommand,
  eval: evaluate,
  pretrain,
  watch,
  find,
  verify: async (argv, io) => (await import('./verify.ts')).verify(argv, io),
  pack,
  serve,
  keygen,
  sign,
};

async function dispatch(argv: string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  switch (name) {
    case '--version':
    case '-v':
      io.stdout.write(`${sdkVersion}\n`);
      return 0;
    case '--help':
    case '-h':
    case 'help':
      return await help(rest, io);
    case undefined:
      throw usageError('No command was given.');
    default:
      return await command(name)(rest, io);
  }
}

/** Of all commands, or of the one that is named: `help data toybox`. */
async function help([name, ...rest]: string[], io: Io): Promise<number> {
  if (name !== undefined && name !== 'help' && !name.startsWith('-')) {
    return await command(name)([...rest, '--help'], io);
  }
  io.stdout.write(MAIN_HELP);
  return 0;
}

function command(name: string): (argv: string[], io: Io) => Promise<number> {
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (found) return found;
  throw usageError(`"${name}" is no command.${didYouMean(name, Object.keys(commands))}`);
}

async function* nothing(): AsyncGenerator<never> {}

/** Loaded late, so that help and wrong usage cost nothing. */
const createRealMettle: CreateMettle = async (options) => {
  const { createMettle } = await import('../mettle.ts');
  return await createMettle(options);
};
