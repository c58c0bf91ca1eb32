/** `mettle calibrate`: teaches a finished adapter when to keep silent and how sure to sound. */
import { jsonText } from '../contract/plain-text.ts';
import { DATA_FORMATS } from '../train/data/index.ts';
import { CALIBRATE_HELP } from './help.ts';
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
import { readScope } from './scope.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export async function calibrate(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('calibrate', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      data: { type: 'string' },
      format: { type: 'string' },
      backbone: { type: 'string', multiple: true },
      out: { type: 'string' },
      scope: { type: 'string' },
      threads: { type: 'string' },
      cache: { type: 'string' },
      'cache-gb': { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(CALIBRATE_HELP);
    return 0;
  }
  const [adapter, ...more] = positionals;
  if (!adapter || more.length > 0) throw usageError('Name one ADAPTER, a folder.', 'calibrate');
  if (!values.data) throw usageError('--data DIR is missing.', 'calibrate');
  if (!values.out) throw usageError('--out DIR is missing.', 'calibrate');
  const scope = await readScope(values.scope);
  const { calibrateOnDisk } = await import('../node/train/calibrate.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const { figures, manifest, skipped } = await calibrateOnDisk({
      adapter,
      data: values.data,
      format: readChoice('format', values.format, DATA_FORMATS),
      backbone: values.backbone && readBackbone(values.backbone),
      device: readDevice(values.device),
      threads: readThreads(values.threads),
      out: values.out,
      scope,
      cache: values.cache ?? `${values.out}.work/features`,
      cacheBytes:
        1e9 * readNumber('calibrate', 'cache-gb', values['cache-gb'] ?? '20', { least: 0, most: 1e6, whole: false }),
      signal: io.signal,
      onProgress: (progress) => {
        if (progress.phase === 'cache') return;
        const { phase, done, total } = progress;
        bar.update(phase === 'features' ? 'Reading clips' : 'Calibrating', done, total, `${done}/${total}`);
      },
    });
    bar.clear();
    for (const { id, reason } of skipped) io.stderr.write(`${oneLine(`left out: ${id}: ${reason}`)}\n`);
    const facts = { least: manifest.familiarity!.least, calibration: manifest.calibration, ...figures };
    io.stdout.write(`${jsonText(facts, 2)}\n`);
    if (!values.json) io.stdout.write(`Adapter: ${values.out}\n`);
    return 0;
  } finally {
    bar.clear();
  }
}
