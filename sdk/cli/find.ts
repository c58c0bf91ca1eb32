/** `mettle find`: seconds of films that are like one of an example. */
import { jsonText } from '../contract/plain-text.ts';
import { MettleError } from '../errors.ts';
import { filmsIn } from '../node/batch/films.ts';
import { type EmbeddedSecond, type Embedding, findSimilar, type Match } from '../tasks/similar.ts';
import { COMMON_OPTIONS, readChoice, readNumber, readOptions, usageError } from './options.ts';
import { reportError } from './report-error.ts';
import { openSession, readSession, SESSION_HELP, SESSION_OPTIONS } from './session.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io, MettleSession } from './types.ts';

const FIND_HELP = `Usage
  mettle find EXAMPLE FILE|DIR... [options]

Finds the seconds of films that are most like one second of EXAMPLE, by what the first of
the adapters sees and hears in them.

  --at X              second of EXAMPLE (default: its middle)
  --sense NAME        what must be alike: audio, visual or both (default: both)
  --top N             how many are printed (default: 10)
${SESSION_HELP}
  --json              print JSON
  --quiet             no progress bar
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code: that of the worst file. */
export async function find(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('find', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...SESSION_OPTIONS,
      at: { type: 'string' },
      sense: { type: 'string' },
      top: { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(FIND_HELP);
    return 0;
  }
  const [example, ...places] = positionals;
  if (!example || places.length === 0) throw usageError('Name an EXAMPLE, and at least one FILE or DIR.', 'find');
  const { at, top } = values;
  const options = {
    sense: readChoice('sense', values.sense, ['audio', 'visual', 'both'] as const),
    top: top === undefined ? undefined : readNumber('find', 'top', top, { least: 1 }),
  };
  const second = at === undefined ? undefined : readNumber('find', 'at', at, { least: 0, whole: false });
  const models = await readSession('find', values, undefined, io);
  const files = (await Promise.all(places.map(filmsIn))).flat();
  if (files.length === 0) throw new MettleError('not-found', `There are no films in ${places.join(', ')}.`);
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const session = await openSession(models, bar, io);
    try {
      const query = secondAt(await session.embed(example, { signal: io.signal }), second, example);
      const { clips, code } = await embedAll(session, files, bar, io, values.verbose === true);
      bar.clear();
      const embeddings = clips.map(({ embedding }) => embedding);
      const matches = findSimilar(query, embeddings, options).map(({ clip, ...match }) => ({
        file: clips[clip]!.file,
        ...match,
      }));
      io.stdout.write(values.json ? `${jsonText(matches)}\n` : matches.map(line).join(''));
      return code;
    } finally {
      await session.dispose();
    }
  } finally {
    bar.clear();
  }
}

const line = ({ similarity, file, start, end }: Omit<Match, 'clip'> & { file: string }): string =>
  `${similarity.toFixed(3).padStart(6)}  ${start.toFixed(0)}-${end.toFixed(0)} s  ${oneLine(file)}\n`;

function secondAt({ seconds }: Embedding, at: number | undefined, example: string): EmbeddedSecond {
  const found = at === undefined ? seconds[Math.floor(seconds.length / 2)] : seconds[Math.floor(at)];
  if (found) return found;
  throw new MettleError(
    'invalid-argument',
    `--at ${at} lies after the end of ${example}, which has ${seconds.length} s.`,
  );
}

type Clips = { file: string; embedding: Embedding }[];

/** A file that fails does not keep the others. */
async function embedAll(
  session: MettleSession,
  files: readonly string[],
  bar: ProgressBar,
  io: Io,
  verbose: boolean,
): Promise<{ clips: Clips; code: number }> {
  const clips: Clips = [];
  let code = 0;
  for (const [index, file] of files.entries()) {
    bar.update('Films', index, files.length, `${index}/${files.length}`);
    try {
      clips.push({ file, embedding: await session.embed(file, { signal: io.signal }) });
    } catch (error) {
      bar.clear();
      if (io.signal.aborted) throw error;
      code = Math.max(code, reportError(error, io, { verbose, subject: file }));
    }
  }
  return { clips, code };
}
