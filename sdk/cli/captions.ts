/** `mettle captions`: captions of the sounds of a film, beside the subtitles of what is said. */
import { basename, dirname } from 'node:path';
import { limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { type CaptionLanguage, captionLanguages, captions } from '../export/index.ts';
import { readSmall } from '../node/disk.ts';
import { DiskStore, exists } from '../node/files/file-store.ts';
import { COMMON_OPTIONS, readChoice, readNumber, readOptions, usageError } from './options.ts';
import { openSession, readSession, SESSION_HELP, SESSION_OPTIONS } from './session.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const CAPTIONS_HELP = `Usage
  mettle captions FILE [options]

Captions of the sounds that are no speech, for people who do not hear: "[dog barking]" where the dog is in the picture,
"[off-screen: dog barking]" where it is not. Printed, or written with --out.

  --merge FILE        subtitles of what is said, .vtt or .srt; their cues stay as they are
  --language NAME     en, de or fr (default: en)
  --format NAME       vtt or srt (default: that of --merge, or vtt)
  --out FILE          write there; must not exist
  --min-confidence X  leave out what is less certain, 0 to 1 (default: 0, the adapter decides)
  --leave-out LABEL   do not name this class; may be repeated

${SESSION_HELP}
  --quiet             no progress bar
  --verbose           print the stack of an internal fault
`;

export async function makeCaptions(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('captions', {
    args: argv,
    allowPositionals: true,
    options: {
      ...SESSION_OPTIONS,
      verbose: COMMON_OPTIONS.verbose,
      help: COMMON_OPTIONS.help,
      merge: { type: 'string' },
      language: { type: 'string' },
      format: { type: 'string' },
      out: { type: 'string' },
      'min-confidence': { type: 'string' },
      'leave-out': { type: 'string', multiple: true },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(CAPTIONS_HELP);
    return 0;
  }
  const [file, ...rest] = positionals;
  if (!file || rest.length > 0) throw usageError('Name one FILE.', 'captions');
  const least = values['min-confidence'];
  const options = {
    language: readChoice('language', values.language, captionLanguages) as CaptionLanguage | undefined,
    format: readChoice('format', values.format, ['vtt', 'srt'] as const),
    minConfidence:
      least === undefined
        ? undefined
        : readNumber('captions', 'min-confidence', least, { least: 0, most: 1, whole: false }),
    leaveOut: values['leave-out'],
    merge: values.merge === undefined ? undefined : await readText(values.merge),
  };
  // What is wrong with the options or the subtitles is told before a film is analyzed for minutes.
  captions([], options);
  const models = await readSession('captions', values, ['parse'], io);
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const session = await openSession(models, bar, io);
    try {
      const { results, warnings } = await session.analyze(file, {
        tasks: ['parse'],
        signal: io.signal,
        onProgress: ({ done, total }) => bar.update(basename(file), done, total, `${done}/${total} s`),
      });
      bar.clear();
      for (const { message } of warnings) io.stderr.write(`${oneLine(`warning: ${message}`)}\n`);
      const text = captions(results, options);
      if (values.out === undefined) io.stdout.write(text);
      else await save(values.out, text);
      return 0;
    } finally {
      await session.dispose();
    }
  } finally {
    bar.clear();
  }
}

async function readText(path: string): Promise<string> {
  const bytes = await readSmall(path, 'subtitles', limits.tableCharacters);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MettleError('invalid-file', `${path}: the subtitles are not in UTF-8.`, {
      hint: 'Convert them first, for example with iconv -f latin1 -t utf-8.',
      cause,
    });
  }
}

/** Whole or not at all. */
async function save(path: string, text: string): Promise<void> {
  if (await exists(path)) {
    throw new MettleError('write', `${path} exists already.`, { hint: 'Choose another --out.' });
  }
  await new DiskStore(dirname(path)).save(basename(path), new TextEncoder().encode(text));
}
