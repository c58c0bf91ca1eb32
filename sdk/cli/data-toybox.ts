/** `mettle data toybox`: makes data sets from a seed. */
import { ALL_TOYBOX_LAYOUTS, type ToyboxLayout } from '../toybox/index.ts';
import { readNumber, readOptions, readThreads, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const TOYBOX_HELP = `Usage
  mettle data toybox --out DIR [options]

Makes films of twelve objects that are seen and heard, with exact truth, in the layouts of the public data sets. Some are seen but
silent, some heard but out of view. A run that was stopped goes on when it is started again; the same seed gives the same files.

Options
  --out DIR           where the folders ave, llp, avs-s4 and avs-ms3 go
  --seed N            (default: 1)
  --clips N           clips per layout: of ten, eight train, one validates, one tests (default: 100)
  --layouts LIST      some of ${ALL_TOYBOX_LAYOUTS.join(',')}
                      (default: those of public data sets; exact ones are folders whose events begin inside of seconds)
  --threads N         (default: one per core)
  --quiet             print nothing but errors
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code. */
export async function makeToybox(argv: string[], io: Io): Promise<number> {
  const { values } = readOptions('data toybox', {
    args: argv,
    options: {
      out: { type: 'string' },
      seed: { type: 'string' },
      clips: { type: 'string' },
      layouts: { type: 'string' },
      threads: { type: 'string' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(TOYBOX_HELP);
    return 0;
  }
  if (!values.out) throw usageError('--out must name a folder.', 'data toybox');
  const whole = (name: 'seed' | 'clips', least: number): number | undefined => {
    const value = values[name];
    return value === undefined ? undefined : readNumber('data toybox', name, value, { least });
  };
  const options = {
    seed: whole('seed', 0),
    clips: whole('clips', 1),
    layouts: readLayouts(values.layouts),
    threads: readThreads(values.threads),
  };
  const { writeToybox } = await import('../node/toybox/index.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const report = await writeToybox(values.out, {
      ...options,
      signal: io.signal,
      onProgress: ({ layout, done, total }) => bar.update(`Making ${layout}`, done, total, `${done}/${total} clips`),
    });
    bar.clear();
    for (const { folder, clips, made } of values.quiet ? [] : report) {
      const there = made < clips ? `, ${clips - made} of them there already` : '';
      io.stdout.write(`${oneLine(folder)}: ${clips} clips${there}\n`);
    }
    return 0;
  } finally {
    bar.clear();
  }
}

function readLayouts(value: string | undefined): ToyboxLayout[] | undefined {
  return value?.split(',').map((name) => {
    const layout = ALL_TOYBOX_LAYOUTS.find((known) => known === name.trim());
    if (layout) return layout;
    throw usageError(`--layouts: "${name.trim()}" is none of ${ALL_TOYBOX_LAYOUTS.join(', ')}.`, 'data toybox');
  });
}
