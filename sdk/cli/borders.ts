/** `mettle borders`: teaches a finished adapter where inside of a second what it hears begins and ends. */
import { jsonText } from '../contract/plain-text.ts';
import { DATA_FORMATS } from '../train/data/index.ts';
import { BORDERS_HELP } from './help.ts';
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

export async function borders(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('borders', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      data: { type: 'string' },
      format: { type: 'string' },
      backbone: { type: 'string', multiple: true },
      out: { type: 'string' },
      epochs: { type: 'string' },
      seed: { type: 'string' },
      threads: { type: 'string' },
      cache: { type: 'string' },
      'cache-gb': { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(BORDERS_HELP);
    return 0;
  }
  const [adapter, ...more] = positionals;
  if (!adapter || more.length > 0) throw usageError('Name one ADAPTER, a folder.', 'borders');
  if (!values.data) throw usageError('--data DIR is missing.', 'borders');
  if (!values.out) throw usageError('--out DIR is missing.', 'borders');
  const number = (name: 'epochs' | 'seed', least: number): number | undefined =>
    values[name] === undefined ? undefined : readNumber('borders', name, values[name], { least });
  const { bordersOnDisk } = await import('../node/train/borders.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const { figures, manifest, skipped } = await bordersOnDisk({
      adapter,
      data: values.data,
      format: readChoice('format', values.format, DATA_FORMATS),
      backbone: values.backbone && readBackbone(values.backbone),
      device: readDevice(values.device),
      threads: readThreads(values.threads),
      out: values.out,
      epochs: number('epochs', 1),
      seed: number('seed', 0),
      cache: values.cache ?? `${values.out}.work/features`,
      cacheBytes:
        1e9 * readNumber('borders', 'cache-gb', values['cache-gb'] ?? '20', { least: 0, most: 1e6, whole: false }),
      signal: io.signal,
      onProgress: (progress) => {
        if (progress.phase === 'cache') return;
        const { phase, done, total } = progress;
        bar.update(phase === 'features' ? 'Reading clips' : 'Learning borders', done, total, `${done}/${total}`);
      },
    });
    bar.clear();
    for (const { id, reason } of skipped) io.stderr.write(`${oneLine(`left out: ${id}: ${reason}`)}\n`);
    io.stdout.write(`${jsonText({ borders: manifest.borders, ...figures }, 2)}\n`);
    if (!values.json) io.stdout.write(`Adapter: ${values.out}\n`);
    return 0;
  } finally {
    bar.clear();
  }
}
