/** `mettle watch`: what happens in a running source, a line for each event that begins or ends. */
import { jsonText, spacedLine } from '../contract/plain-text.ts';
import type { Moment } from '../live/watch.ts';
import { MODALITY_TITLES } from '../tasks/timeline.ts';
import { COMMON_OPTIONS, readNumber, readOptions, readTasks, usageError } from './options.ts';
import { openSession, readSession, SESSION_HELP, SESSION_OPTIONS } from './session.ts';
import { paintFor } from './terminal.ts';
import type { Io } from './types.ts';

const WATCH_HELP = `Usage
  mettle watch ADDRESS [options]

Tells what happens in a running source, as it happens. ADDRESS is what FFmpeg reads: rtsp://..., udp://..., a named pipe,
or a file, which is watched at the pace at which it plays. Ends with the source, or on Ctrl-C.

  --hop X             seconds from one look to the next, 0.25 to 1 (default: 0.5)
  --tasks LIST        localize, parse, segment, separated by commas (default: all that the adapters can)
${SESSION_HELP}
  --json              a line of JSON for each moment in which something begins or ends
  --verbose           print the stack of an internal fault
`;

export async function watch(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('watch', {
    args: argv,
    allowPositionals: true,
    options: {
      ...COMMON_OPTIONS,
      ...SESSION_OPTIONS,
      hop: { type: 'string' },
      tasks: { type: 'string' },
    },
  });
  if (values.help) {
    io.stdout.write(WATCH_HELP);
    return 0;
  }
  const [address, ...rest] = positionals;
  if (!address || rest.length > 0) throw usageError('Name one ADDRESS.', 'watch');
  const hop =
    values.hop === undefined
      ? undefined
      : readNumber('watch', 'hop', values.hop, { least: 0.25, most: 1, whole: false });
  const tasks = readTasks(values.tasks);
  const session = await openSession(await readSession('watch', values, tasks, io), null, io);
  const line = values.json ? jsonLine : textLine(io);
  try {
    for await (const moment of session.watch(address, { hop, tasks, signal: io.signal })) io.stdout.write(line(moment));
    return 0;
  } finally {
    await session.dispose();
  }
}

function jsonLine({ start, end, wallTime, latency, dropped, events: { began, ended } }: Moment): string {
  if (began.length + ended.length + dropped === 0) return '';
  return `${jsonText({ start, end, wallTime, latency, dropped, began, ended })}\n`;
}

function textLine(io: Io): (moment: Moment) => string {
  const paint = paintFor(io.stdout, io.env);
  const at = (seconds: number): string => `${seconds.toFixed(1).padStart(8)} s`;
  return ({ end, dropped, events: { began, ended } }) => {
    const lines = [
      ...began.map(({ start, label, modality }) => `${at(start)}  ${MODALITY_TITLES[modality].padEnd(14)}  ${label}`),
      ...ended.map((event) => {
        const { modality, label, start } = event;
        return paint.dim(
          `${at(event.end)}  ${MODALITY_TITLES[modality].padEnd(14)}  ${label} ended after ${(event.end - start).toFixed(1)} s`,
        );
      }),
      ...(dropped > 0
        ? [paint.warn(`${at(end)}  ${dropped} ${dropped === 1 ? 'look' : 'looks'} left out: the models are too slow`)]
        : []),
    ];
    return lines.map((text) => `${spacedLine(text)}\n`).join('');
  };
}
