/** `mettle info`: versions, the device that models run on and why, and the models that ship. */

import { availableParallelism } from 'node:os';
import type { EngineInfo } from '../contract/engine-info.ts';
import { jsonText } from '../contract/plain-text.ts';
import { DEFAULT_BACKBONE } from '../contract/registry.ts';
import { sdkVersion } from '../contract/version.ts';
import { scopeLines, sensesText } from '../tasks/scope-text.ts';
import { INFO_HELP } from './help.ts';
import { COMMON_OPTIONS, readDevice, readOptions } from './options.ts';
import { reportError } from './report-error.ts';
import { oneLine, paintFor } from './terminal.ts';
import type { Io, ShippedModel } from './types.ts';

/** Returns the exit code; where no device can be had, everything else is printed all the same. */
export async function info(argv: string[], io: Io): Promise<number> {
  const { values } = readOptions('info', { args: argv, options: COMMON_OPTIONS });
  if (values.help) {
    io.stdout.write(INFO_HELP);
    return 0;
  }
  const device = readDevice(values.device);
  const models = await io.listModels(io.signal);
  let engine: EngineInfo | null = null;
  let code = 0;
  try {
    const session = await io.createMettle({ backbone: DEFAULT_BACKBONE, device, signal: io.signal });
    engine = session.info();
    await session.dispose();
  } catch (error) {
    if (io.signal.aborted) throw error;
    code = reportError(error, io, { verbose: values.verbose === true });
  }
  const facts: Facts = {
    version: sdkVersion,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    engine,
    models,
  };
  io.stdout.write(values.json ? `${jsonText(facts, 2)}\n` : text(facts, io));
  return code;
}

const aboutLines = ({ scope, keepsSilent }: Extract<ShippedModel, { kind: 'adapter' }>): string[] => [
  ...scopeLines(scope),
  `Answers ${sensesText(scope)}; ${keepsSilent ? 'silent where a second is unfamiliar.' : 'it cannot tell what is unfamiliar.'}`,
];

type Facts = {
  version: string;
  node: string;
  platform: string;
  cores: number;
  engine: EngineInfo | null;
  models: ShippedModel[];
};

function text({ version, node, platform, cores, engine, models }: Facts, io: Io): string {
  const paint = paintFor(io.stdout, io.env);
  const lines = [
    paint.bold(`mettle-edge ${version}`),
    `Node ${node}, ${platform}, ${cores} cores`,
    '',
    paint.bold('Device'),
  ];
  if (engine) {
    const gpu = engine.gpu ? `, ${engine.gpu.description || engine.gpu.vendor}` : '';
    lines.push(`  ${oneLine(`${engine.device}, ${engine.runtime}, threads: ${engine.threads}${gpu}`)}`);
    for (const reason of engine.why) lines.push(paint.dim(`  - ${oneLine(reason)}`));
  } else {
    lines.push(paint.warn('  none that works, see the error'));
  }
  lines.push('', paint.bold('Models that ship'));
  for (const model of models) {
    const what = model.kind === 'adapter' ? `${model.task}, for ${model.backbone}` : 'backbone';
    lines.push(
      `  ${model.id.padEnd(20)} ${model.version}  ${what}${model.untrained ? paint.warn(' (untrained)') : ''}`,
    );
    if (model.kind === 'adapter') lines.push(...aboutLines(model).map((line) => paint.dim(`    ${oneLine(line)}`)));
  }
  return `${lines.join('\n')}\n`;
}
