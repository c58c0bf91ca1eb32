/** `mettle run`: analyzes clips, prints a timeline of each and writes their results. */

import { join } from 'node:path';
import type { RgbImage } from '../contract/clip.ts';
import { UNFAMILIAR, type Unfamiliar } from '../contract/familiar.ts';
import { jsonText } from '../contract/plain-text.ts';
import type { Task } from '../contract/task.ts';
import { nameOf, stemOf } from '../node/output/film-name.ts';
import type { Findings } from '../node/output/findings.ts';
import { writeResults } from '../node/output/write.ts';
import { toJSON } from '../tasks/export.ts';
import { RUN_HELP } from './help.ts';
import { COMMON_OPTIONS, readChoice, readOptions, readTasks, usageError } from './options.ts';
import { reportError } from './report-error.ts';
import { openSession, readSession, SESSION_OPTIONS } from './session.ts';
import { oneLine, ProgressBar, paintFor } from './terminal.ts';
import { timelineText } from './timeline.ts';
import type { Io, MettleSession } from './types.ts';

/** Returns the exit code: that of the worst FILE. Throws what keeps all of them from being analyzed. */
export async function run(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('run', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...SESSION_OPTIONS,
      tasks: { type: 'string' },
      out: { type: 'string' },
      unfamiliar: { type: 'string' },
      explain: { type: 'boolean' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(RUN_HELP);
    return 0;
  }
  if (positionals.length === 0) throw usageError('No FILE was named.', 'run');
  if (values.out === '') throw usageError('--out must name a folder.', 'run');
  if (values.explain && values.out === undefined) {
    throw usageError('--explain writes pictures, so it needs a folder for them: --out DIR.', 'run');
  }
  const tasks = readTasks(values.tasks);
  const unfamiliar = readChoice('unfamiliar', values.unfamiliar, UNFAMILIAR);
  const models = await readSession('run', values, tasks, io);

  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const session = await openSession(models, bar, io);
    try {
      const folders = foldersFor(positionals, values.out);
      const job = {
        tasks,
        unfamiliar,
        explain: values.explain === true,
        json: values.json === true,
        quiet: values.quiet === true,
        verbose: values.verbose === true,
      };
      return await runAll(session, positionals, folders, job, bar, io);
    } finally {
      await session.dispose();
    }
  } finally {
    bar.clear();
  }
}

type Job = {
  tasks: Task[] | undefined;
  unfamiliar: Unfamiliar | undefined;
  explain: boolean;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
};

/** One after the other; a FILE that fails does not keep the others. */
async function runAll(
  session: MettleSession,
  files: readonly string[],
  folders: readonly (string | null)[],
  job: Job,
  bar: ProgressBar,
  io: Io,
): Promise<number> {
  const codes: number[] = [];
  for (const [index, file] of files.entries()) {
    try {
      const findings = await analyze(session, file, folders[index] !== null, job, bar, io);
      const folder = folders[index] ? await writeResults(folders[index], findings, { signal: io.signal }) : null;
      bar.clear();
      print(findings, folder, job, io);
      codes.push(0);
    } catch (error) {
      bar.clear();
      if (io.signal.aborted) throw error;
      codes.push(reportError(error, io, { verbose: job.verbose, subject: files.length > 1 ? file : undefined }));
    }
  }
  return codes.includes(1) ? 1 : Math.max(...codes);
}

async function analyze(
  session: MettleSession,
  file: string,
  withThumbnails: boolean,
  { tasks, unfamiliar, explain }: Job,
  bar: ProgressBar,
  io: Io,
): Promise<Findings> {
  const name = nameOf(file);
  const thumbnails: (RgbImage | null)[] = [];
  const analysis = await session.analyze(file, {
    tasks,
    unfamiliar,
    explain,
    signal: io.signal,
    onProgress: ({ done, total }) => bar.update(name, done, total, `${done}/${total} s`),
    ...(withThumbnails && {
      thumbnailHeight: 180,
      onSegment: (segment) => {
        thumbnails[segment.index] = segment.thumbnail;
      },
    }),
  });
  io.signal.throwIfAborted();
  const all = Array.from({ length: analysis.segments }, (_, index) => thumbnails[index] ?? null);
  const engine = session.info();
  return { ...analysis, name, warnings: [...engine.warnings, ...analysis.warnings], engine, thumbnails: all };
}

function print(findings: Findings, folder: string | null, job: Job, io: Io): void {
  if (job.json) {
    io.stdout.write(`${jsonText(toJSON(findings, { source: findings.name, engine: findings.engine }))}\n`);
    return;
  }
  if (job.quiet) return;
  const paint = paintFor(io.stdout, io.env);
  io.stdout.write(timelineText(findings, io.stdout.columns || 100, paint));
  io.stdout.write(folder ? `\nReport: ${oneLine(join(folder, 'report.html'))}\n\n` : '\n');
}

/** `out` itself for one FILE, a folder of its own in it for each of several; no two share one, also where case does not count. */
function foldersFor(files: readonly string[], out: string | undefined): (string | null)[] {
  if (out === undefined) return files.map(() => null);
  if (files.length === 1) return [out];
  const taken = new Set<string>();
  return files.map((file) => {
    const stem = stemOf(file);
    for (let count = 1; ; count++) {
      const folder = stem + (count > 1 ? `-${count}` : '');
      if (taken.has(folder.toLowerCase())) continue;
      taken.add(folder.toLowerCase());
      return join(out, folder);
    }
  });
}
