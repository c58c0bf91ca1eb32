/** `mettle captions`: captions of the sounds of a film, beside the subtitles of what is said. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { type CaptionLanguage, captionLanguages, captions } from '../export/index.ts';
import { readSmall } from '../node/disk.ts';
import { HUB_HELP, HUB_OPTIONS, readHub } from './hub-options.ts';
import { chooseAdapters } from './models.ts';
import {
  COMMON_OPTIONS,
  readBackbone,
  readChoice,
  readDevice,
  readNumber,
  readOptions,
  readThreads,
  usageError,
} from './options.ts';
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

  --backbone ID       id, path or URL of the backbone (default: nano); given twice, or as A,B, one for pictures and one
                      for sounds
  --adapter ID        id, path or URL of an adapter that parses (default: all shipped ones that fit)
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --threads N         threads of the CPU
${HUB_HELP}
  --quiet             no progress bar
  --verbose           print the stack of an internal fault
`;

export async function makeCaptions(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('captions', {
    args: argv,
    allowPositionals: true,
    options: {
      device: COMMON_OPTIONS.device,
      verbose: COMMON_OPTIONS.verbose,
      help: COMMON_OPTIONS.help,
      ...HUB_OPTIONS,
      merge: { type: 'string' },
      language: { type: 'string' },
      format: { type: 'string' },
      out: { type: 'string' },
      'min-confidence': { type: 'string' },
      'leave-out': { type: 'string', multiple: true },
      backbone: { type: 'string', multiple: true },
      adapter: { type: 'string', multiple: true },
      threads: { type: 'string' },
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
  const backbone = readBackbone(values.backbone);
  const hub = await readHub('captions', values);
  const adapters =
    values.adapter ?? chooseAdapters(await io.listModels(io.signal), [backbone].flat().join('+'), ['parse']);
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const session = await io.createMettle({
      ...hub,
      backbone,
      adapters,
      device: readDevice(values.device),
      threads: readThreads(values.threads),
      signal: io.signal,
    });
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

async function save(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((cause: unknown) => {
    const is = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new MettleError(
      'write',
      `${path} ${is ? 'exists already' : `cannot be written: ${(cause as Error).message}`}.`,
      {
        hint: is ? 'Choose another --out.' : '',
        cause,
      },
    );
  });
}
