/** `mettle assets`: the folder of files that a page loads by itself. */
import { jsonText } from '../contract/plain-text.ts';
import { readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const ASSETS_HELP = `Usage
  mettle assets DIR [options]

Writes what a page loads by itself into DIR: scripts of the workers, the runtime of the installed onnxruntime-web, models, and assets.json,
a list of all files with their SHA-256. Serve DIR with the page and say createMettle({ assets: "/address/of/it/" }).
Safe to run again, such as before every build: where nothing differs nothing is written.

Options
  --models LIST       ids of shipped models, separated by commas; the backbone of an adapter comes along (default: all)
  --force             replace a folder of assets even if it holds files of others, which go with it
  --json              print the list of files as JSON
  --quiet             print nothing but errors
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code. */
export async function assets(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('assets', {
    args: argv,
    allowPositionals: true,
    options: {
      models: { type: 'string' },
      force: { type: 'boolean' },
      json: { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(ASSETS_HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (!folder || more.length > 0) throw usageError('Name one DIR, such as public/mettle.', 'assets');
  const models = readModels(values.models);
  const { writeAssets } = await import('../node/assets/index.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const report = await writeAssets(folder, {
      models,
      force: values.force === true,
      signal: io.signal,
      onProgress: ({ done, total }) => bar.update('Writing', done, total, `${done}/${total} files`),
    });
    bar.clear();
    if (values.json) io.stdout.write(`${jsonText(report)}\n`);
    else if (!values.quiet) {
      const size = `${report.files.length + 1} files, ${(report.bytes / 1e6).toFixed(1)} MB`;
      const state = report.written ? 'written' : 'unchanged';
      io.stdout.write(`${oneLine(report.folder)}: ${state}, ${size}, models: ${report.models.join(', ')}\n`);
    }
    return 0;
  } finally {
    bar.clear();
  }
}

function readModels(value: string | undefined): string[] | undefined {
  const ids = value?.split(',').map((id) => id.trim());
  if (ids?.includes('')) throw usageError('--models must name models, separated by commas.', 'assets');
  return ids;
}
