/** `mettle eval`: the published figures of a finished adapter. */
import { writeFile } from 'node:fs/promises';
import { SPLITS } from '../contract/split.ts';
import { MettleError } from '../errors.ts';
import { DATA_FORMATS } from '../train/data/index.ts';
import { formatReport } from '../train/metrics/report.ts';
import { EVAL_HELP } from './help.ts';
import { HUB_OPTIONS, readHub } from './hub-options.ts';
import { COMMON_OPTIONS, readBackbone, readChoice, readDevice, readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export async function evaluate(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('eval', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...HUB_OPTIONS,
      format: { type: 'string' },
      split: { type: 'string' },
      backbone: { type: 'string', multiple: true },
      out: { type: 'string' },
      quiet: { type: 'boolean' },
    },
  });
  if (values.help) {
    io.stdout.write(EVAL_HELP);
    return 0;
  }
  const [adapter, data, ...rest] = positionals;
  if (!adapter || !data || rest.length > 0) throw usageError('Name one ADAPTER and one DIR.', 'eval');
  const hub = await readHub('eval', values);
  const { evaluateOnDisk } = await import('../node/train/eval.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const { report, skipped } = await evaluateOnDisk({
      adapter,
      data,
      format: readChoice('format', values.format, DATA_FORMATS),
      split: readChoice('split', values.split, SPLITS) ?? 'test',
      backbone: values.backbone && readBackbone(values.backbone),
      device: readDevice(values.device),
      hub,
      signal: io.signal,
      onProgress: ({ done, total }) => bar.update('Evaluating', done, total, `${done}/${total}`),
    });
    bar.clear();
    for (const { id, reason } of skipped) io.stderr.write(`${oneLine(`left out: ${id}: ${reason}`)}\n`);
    if (values.out) await save(values.out, formatReport(report, 'json'));
    io.stdout.write(values.json ? `${formatReport(report, 'json')}\n` : formatReport(report));
    return 0;
  } finally {
    bar.clear();
  }
}

async function save(path: string, text: string): Promise<void> {
  await writeFile(path, `${text}\n`).catch((cause: unknown) => {
    throw new MettleError('write', `${path} cannot be written: ${(cause as Error).message}`, { cause });
  });
}
