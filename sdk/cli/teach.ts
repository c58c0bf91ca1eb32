/** `mettle teach`: an adapter from a few examples of one's own events. */
import { basename } from 'node:path';
import { senses } from '../contract/familiar.ts';
import { jsonText } from '../contract/plain-text.ts';
import type { TaughtAdapter, TeachProgress } from '../train/teach/options.ts';
import { HUB_HELP, HUB_OPTIONS, readHub } from './hub-options.ts';
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

const TEACH_HELP = `Usage
  mettle teach DIR --out OUT [options]

Makes an adapter from a few short examples. DIR holds one folder for each event, named after it, with three or more clips,
sounds or pictures, and one named "nothing" with whatever must not be taken for an event. Takes a minute or so; Ctrl-C
leaves nothing.

Options
  --out OUT           the adapter's folder, or a file that ends with .zip; must not exist
  --id ID             of the adapter (default: the name of OUT)
  --license TEXT      for its manifest (default: own examples)
  --senses NAME       what decides: audio, visual or both (default: every sense that all examples of events have)
  --keep DIR          keeps what was seen there, so that a lesson that was broken off, or one example more, goes on
  --backbone ID       id, path or URL (default: nano); given twice, or as A,B, one for pictures and one for sounds
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --threads N         threads of the CPU
  --seed N            decides how examples are varied (default: 1)
  --json              print figures as JSON
  --quiet             print nothing but errors and figures
  --verbose           print the stack of an internal fault

Where models come from
${HUB_HELP}
`;

export async function teachCommand(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('teach', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...HUB_OPTIONS,
      out: { type: 'string' },
      id: { type: 'string' },
      license: { type: 'string' },
      senses: { type: 'string' },
      keep: { type: 'string' },
      backbone: { type: 'string', multiple: true },
      threads: { type: 'string' },
      seed: { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(TEACH_HELP);
    return 0;
  }
  const [examples, ...more] = positionals;
  if (!examples || more.length > 0) throw usageError('Name one DIR of examples.', 'teach');
  if (!values.out) throw usageError('--out OUT is missing.', 'teach');
  const { out, license, keep } = values;
  const bar = new ProgressBar(io.stderr, !values.quiet);
  const { teachOnDisk } = await import('../node/train/teach.ts');
  try {
    const taught = await teachOnDisk({
      ...(await readHub('teach', values)),
      ...{ examples, out, license, keep },
      id: values.id ?? idOf(out),
      senses: readChoice('senses', values.senses, ['audio', 'visual', 'both'] as const),
      backbone: readBackbone(values.backbone),
      device: readDevice(values.device),
      threads: readThreads(values.threads),
      seed: values.seed === undefined ? undefined : readNumber('teach', 'seed', values.seed, { least: 0 }),
      signal: io.signal,
      onProgress: (progress) => show(bar, progress),
    });
    bar.clear();
    for (const { name, reason } of taught.skipped) io.stderr.write(`${oneLine(`left out: ${name}: ${reason}`)}\n`);
    const { classes } = taught.manifest;
    io.stdout.write(values.json ? `${jsonText({ classes, leftOut: taught.leftOut })}\n` : told(taught, out));
    return 0;
  } finally {
    bar.clear();
  }
}

/** What stands before the ending, as an id may be written. */
const idOf = (out: string): string =>
  basename(out)
    .replace(/\.zip$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '') || 'taught';

function show(bar: ProgressBar, progress: TeachProgress): void {
  const { phase } = progress;
  if (phase === 'learning') bar.update('Learning', 1, 1, '');
  if (phase === 'learning' || phase === 'download') return;
  const { done, total } = progress;
  bar.update(phase === 'examples' ? 'Looking at examples' : 'Loading models', done, total, `${done}/${total}`);
}

function told({ leftOut }: TaughtAdapter, out: string): string {
  const lines = senses.flatMap((sense) => {
    const found = leftOut[sense];
    if (!found) return [];
    const { right, silent, examples, quiet, nothing } = found;
    const by = sense === 'audio' ? 'By sound' : 'By picture';
    return [
      `${by}, each example judged as if it were new: ${right} of ${examples} right, ${silent} silent; ${quiet} of ${nothing} of nothing silent.\n`,
    ];
  });
  return `${lines.join('')}Adapter: ${oneLine(out)}\n`;
}
