/** `mettle data`: looks at data sets and makes one. */
import { jsonText } from '../contract/plain-text.ts';
import { didYouMean } from '../did-you-mean.ts';
import { formatCheck } from '../train/data/check.ts';
import { DATA_FORMATS } from '../train/data/index.ts';
import { makeToybox } from './data-toybox.ts';
import { readChoice, readOptions, usageError } from './options.ts';
import { ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const DATA_HELP = `Usage
  mettle data check DIR [options]     what a data set holds, what is missing and what is odd
  mettle data toybox --out DIR        make a small data set with sound, see mettle data toybox --help

Options of check
  --format NAME       ${DATA_FORMATS.join(', ')} (default: told by the names of its tables)
  --fast              trust the clips: open none of them
  --json              print JSON
  --verbose           print the stack of an internal fault

Exit codes of check
  0 no finding of level error   2 at least one, or wrong usage   1 internal fault   130 interrupted
`;

/** Returns the exit code. */
export async function data(argv: string[], io: Io): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'check':
      return await check(rest, io);
    case 'toybox':
      return await makeToybox(rest, io);
    case '--help':
    case '-h':
      io.stdout.write(DATA_HELP);
      return 0;
    case undefined:
      throw usageError('"mettle data" needs to know what: check or toybox.', 'data');
    default:
      throw usageError(
        `"${command}" is nothing that "mettle data" can do.${didYouMean(command, ['check', 'toybox'])}`,
        'data',
      );
  }
}

async function check(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('data', {
    args: argv,
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      fast: { type: 'boolean' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(DATA_HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (!folder || more.length > 0) throw usageError('Name one DIR.', 'data');
  const format = readChoice('format', values.format, DATA_FORMATS);
  const { checkFolder } = await import('../node/data/index.ts');
  const bar = new ProgressBar(io.stderr, true);
  try {
    const report = await checkFolder(folder, {
      format,
      probe: !values.fast,
      signal: io.signal,
      onProgress: ({ done, total }) => bar.update('Looking at clips', done, total, `${done}/${total}`),
    });
    bar.clear();
    io.stdout.write(values.json ? `${jsonText(report, 2)}\n` : formatCheck(report));
    return report.findings.some(({ level }) => level === 'error') ? 2 : 0;
  } finally {
    bar.clear();
  }
}
