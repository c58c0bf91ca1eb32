/** `mettle batch`: many films, by several processes of this machine. What is there is not made again, so a batch that was stopped goes on. */
import { FailureList } from '../node/batch/failures.ts';
import { type Film, filmOf } from '../node/batch/film.ts';
import { readList } from '../node/batch/films.ts';
import { planBatch } from '../node/batch/plan.ts';
import { runBatch } from '../node/batch/run.ts';
import { isInShard, type Shard } from '../node/batch/shard.ts';
import { readWish, readWorkers, WISH_HELP, WISH_OPTIONS } from './batch-options.ts';
import { BatchTeller } from './batch-teller.ts';
import { COMMON_OPTIONS, readOptions, usageError } from './options.ts';
import { exitCodeOf } from './report-error.ts';
import type { Io } from './types.ts';

const BATCH_HELP = `Usage
  mettle batch LIST --out DIR [options]

Analyzes every film of LIST: a folder, a text file with a path or an address on each line, or - for such lines from a pipe.
Each gets a folder in DIR that is called after it, with results.json and events.vtt, whole or not at all. Run the same
command again after it was stopped: what is there is not made again, unless the film, the models or the options are others.

  --out DIR           where outputs go
  --workers N         processes at work (default: one per core, as many as memory allows; one on a GPU)
  --shard I/N         only the films of part I of N, from 0 on; with N alone, I is what JOB_COMPLETION_INDEX says. Parts of
                      one batch may share DIR
${WISH_HELP}
  --json              a line of JSON per film
  --quiet             print failures alone
  --verbose           print the stack of an internal fault

What fails is told at the end, and kept in DIR/failures.jsonl.

Exit codes
  0 all films are done   1 internal fault   2 wrong usage, or a film failed   130 interrupted
`;

export async function batch(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('batch', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...WISH_OPTIONS,
      out: { type: 'string' },
      workers: { type: 'string' },
      shard: { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(BATCH_HELP);
    return 0;
  }
  const [list, ...rest] = positionals;
  const { out, quiet = false, json = false } = values;
  if (!list || rest.length > 0) throw usageError('Name one LIST.', 'batch');
  if (!out) throw usageError('--out DIR is missing.', 'batch');
  const shard = readShard(values.shard, io.env);
  const workers = readWorkers('batch', values.workers);
  const { models, wish } = await readWish('batch', values, io);
  const films = filmsOf(await readList(list, io.stdin), shard);
  const plan = await planBatch({ models, wish, workers, out }, io.signal);

  const told = new BatchTeller(films.length, plan.outputs, { json, quiet }, io);
  const failures = new FailureList(out, shard);
  told.start(plan.count);
  try {
    await runBatch({
      ...plan,
      films,
      workers: Math.min(plan.count.workers, films.length),
      signal: io.signal,
      onSecond: () => told.second(),
      onOutcome(outcome) {
        if (outcome.state === 'failed') failures.add(outcome.film.address, outcome.error);
        told.outcome(outcome);
      },
    });
  } finally {
    told.end();
    await failures.save();
  }
  told.failures(failures);
  const codes = failures.all.map(({ error }) => exitCodeOf(error));
  return codes.includes(1) ? 1 : Math.max(0, ...codes);
}

/** `I/N`, or N alone where a cluster tells I. */
function readShard(value: string | undefined, env: Io['env']): Shard | null {
  if (value === undefined) return null;
  const [, given, total] = /^(?:(\d{1,9})\/)?(\d{1,9})$/.exec(value) ?? [];
  const index = given ?? env.JOB_COMPLETION_INDEX ?? '';
  if (total !== undefined && /^\d{1,9}$/.test(index) && Number(index) < Number(total)) {
    return { index: Number(index), count: Number(total) };
  }
  const problem = total !== undefined && given === undefined ? `JOB_COMPLETION_INDEX is "${index}"` : `got "${value}"`;
  throw usageError(
    `--shard must be I/N with I from 0 to N - 1, or N with JOB_COMPLETION_INDEX as I; ${problem}.`,
    'batch',
  );
}

/** Each film once, and those of one part alone. */
function filmsOf(addresses: readonly string[], shard: Shard | null): Film[] {
  const byName = new Map<string, Film>();
  for (const film of addresses.map(filmOf)) if (!byName.has(film.name)) byName.set(film.name, film);
  const films = [...byName.values()];
  return shard ? films.filter((film) => isInShard(film, shard)) : films;
}
