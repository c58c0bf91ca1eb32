/** `mettle export`: what an earlier run found, in a form that another program reads. */
import { limits } from '../contract/limits.ts';
import { parseJson } from '../contract/parse-json.ts';
import {
  type CaptionLanguage,
  captionLanguages,
  captions,
  type FrameRate,
  frameRates,
  fromJSON,
  toChapters,
  toCSV,
  toMarkers,
} from '../export/index.ts';
import { readSmall } from '../node/disk.ts';
import type { TaskResult } from '../tasks/types.ts';
import { readChoice, readOptions, usageError } from './options.ts';
import type { Io } from './types.ts';

const EXPORT_HELP = `Usage
  mettle export RESULTS.json --as NAME [options]

Prints what "mettle run --out" found in another form; nothing is analyzed again.

  --as NAME           captions     captions of sounds as WebVTT
                      chapters     chapters as WebVTT, for <track kind="chapters">
                      ffmetadata   chapters for ffmpeg -i film.mp4 -i chapters.txt -map_chapters 1 -c copy out.mp4
                      csv          a table of events
                      edl          markers as an edit decision list (CMX 3600)
                      otio         markers as OpenTimelineIO
  --language NAME     of captions: en, de or fr (default: en)
  --frame-rate X      of edl and otio: ${frameRates.join(', ')} (default: 25)
  --verbose           print the stack of an internal fault
`;

type Options = { language: CaptionLanguage | undefined; frameRate: FrameRate | undefined };

const forms: Record<string, (results: readonly TaskResult[], options: Options) => string> = {
  captions: (results, { language }) => captions(results, { language }),
  chapters: (results) => toChapters(results),
  ffmetadata: (results) => toChapters(results, { format: 'ffmetadata' }),
  csv: toCSV,
  edl: (results, { frameRate }) => toMarkers(results, { format: 'edl', frameRate }),
  otio: (results, { frameRate }) => toMarkers(results, { format: 'otio', frameRate }),
};

export async function exportResults(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('export', {
    args: argv,
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      language: { type: 'string' },
      'frame-rate': { type: 'string' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(EXPORT_HELP);
    return 0;
  }
  const [path, ...rest] = positionals;
  if (!path || rest.length > 0) throw usageError('Name one RESULTS.json.', 'export');
  const form = readChoice('as', values.as, Object.keys(forms));
  if (form === undefined) throw usageError('--as is missing.', 'export');
  const options: Options = {
    language: readChoice('language', values.language, captionLanguages),
    frameRate: frameRates.find((rate) => String(rate) === values['frame-rate']),
  };
  if (values['frame-rate'] !== undefined && options.frameRate === undefined) {
    throw usageError(`--frame-rate must be one of ${frameRates.join(', ')}.`, 'export');
  }
  const bytes = await readSmall(path, 'results', limits.tableCharacters, io.signal);
  io.stdout.write(forms[form]!(fromJSON(parseJson(bytes, path)), options));
  return 0;
}
