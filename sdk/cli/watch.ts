/** `mettle watch`: what happens in a running source, or in films that arrive in a folder; for a person at a terminal, or as a service that tells a broker. */
import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { jsonText, spacedLine } from '../contract/plain-text.ts';
import type { Task } from '../contract/task.ts';
import { MettleError } from '../errors.ts';
import type { Moment } from '../live/watch.ts';
import type { BoxOptions } from '../node/box/box.ts';
import { defaultFolder } from '../node/store.ts';
import { MODALITY_TITLES } from '../tasks/timeline.ts';
import { COMMON_OPTIONS, readNumber, readOptions, readTasks, usageError } from './options.ts';
import { openSession, readSession, SESSION_HELP, SESSION_OPTIONS } from './session.ts';
import { oneLine, paintFor } from './terminal.ts';
import type { Io, MettleSession } from './types.ts';

const WATCH_HELP = `Usage
  mettle watch ADDRESS|DIR [options]

Tells what happens in a running source, as it happens. ADDRESS is what FFmpeg reads: rtsp://..., udp://..., a named pipe,
or a file, which is watched at the pace at which it plays. Ends with the source, or on Ctrl-C.

Of a DIR every film is analyzed that lies in it or arrives later, once it has stopped growing: door.mp4.json and
door.mp4.vtt are written beside door.mp4. Ends on Ctrl-C.

  --hop X             seconds from one look to the next, 0.25 to 1 (default: 0.5)
  --reopen            open ADDRESS again where it ends or is lost
  --settle X          seconds for which a film in DIR must not have changed (default: 3)
  --once              end when all films that are in DIR are done
  --tasks LIST        localize, parse, segment, separated by commas (default: all that the adapters can)

As a service; mettle-edge/sdk/docs/box.md has topics, payloads and a unit for systemd
  --mqtt URL          tell what is heard and seen to a broker, mqtt://user:password@host:1883 (default: METTLE_MQTT of the
                      environment, which no list of processes shows)
  --name NAME         what the box is called in topics (default: this machine's name)
  --title TEXT        what ADDRESS is called in messages (default: ADDRESS without user and password)
  --discovery PREFIX  where Home Assistant looks for devices, or none (default: homeassistant)
  --queue-mb N        room on the disk for what waits for the broker (default: 64)
  --state DIR         where that lies, and the list of films that were given up (default: STATE_DIRECTORY of the
                      environment, which systemd sets, else .mettle in DIR, else a folder of this user)
  --health PORT       answer on this port of this machine how it is: 200 well, 503 not

${SESSION_HELP}
  --json              a line of JSON for each moment in which something begins or ends, or for each film
  --verbose           print the stack of an internal fault
`;

const OPTIONS = {
  ...COMMON_OPTIONS,
  ...SESSION_OPTIONS,
  hop: { type: 'string' },
  tasks: { type: 'string' },
  reopen: { type: 'boolean' },
  settle: { type: 'string' },
  once: { type: 'boolean' },
  mqtt: { type: 'string' },
  name: { type: 'string' },
  title: { type: 'string' },
  discovery: { type: 'string' },
  'queue-mb': { type: 'string' },
  state: { type: 'string' },
  health: { type: 'string' },
} as const;

type Flags = ReturnType<typeof readOptions<{ options: typeof OPTIONS }>>['values'];

export async function watch(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('watch', { args: argv, allowPositionals: true, options: OPTIONS });
  if (values.help) {
    io.stdout.write(WATCH_HELP);
    return 0;
  }
  const [address, ...rest] = positionals;
  if (!address || rest.length > 0) throw usageError('Name one ADDRESS or DIR.', 'watch');
  const isFolder = await stat(address).then(
    (found) => found.isDirectory(),
    () => false,
  );
  checkKind(values, isFolder);
  const job = {
    hop: fraction(values, 'hop', { least: 0.25, most: 1 }),
    settle: fraction(values, 'settle', { least: 0, most: 3600 }) ?? 3,
    tasks: readTasks(values.tasks),
  };
  const options = await boxOptions(values, isFolder ? address : null, io);
  const models = await readSession('watch', values, job.tasks, io);
  const { Box } = await import('../node/box/box.ts');
  const box = await Box.open(options);
  try {
    const session = await openSession(models, null, io);
    try {
      box.ready();
      const how = { ...values, ...job };
      return isFolder ? await films(box, session, address, how, io) : await source(box, session, address, how, io);
    } finally {
      await session.dispose();
    }
  } finally {
    await box.close();
  }
}

type Box = import('../node/box/box.ts').Box;
type How = Omit<Flags, 'hop' | 'settle' | 'tasks'> & { hop?: number; settle: number; tasks?: Task[] };

async function source(box: Box, session: MettleSession, address: string, how: How, io: Io): Promise<number> {
  const { watchSource } = await import('../node/box/watch-source.ts');
  const { hop, tasks, json, reopen = false, title = withoutSecrets(address) } = how;
  const line = json ? jsonLine : textLine(io);
  const onMoment = (moment: Readonly<Moment>): void => void io.stdout.write(line(moment));
  await watchSource(box, session, { address, title, hop, tasks, reopen, signal: io.signal, onMoment });
  await box.drained(io.signal);
  return 0;
}

async function films(box: Box, session: MettleSession, folder: string, how: How, io: Io): Promise<number> {
  const { watchFolder } = await import('../node/box/watch-folder.ts');
  const { tasks, settle, json, once = false } = how;
  const onFilm = (film: string, duration: number, events: number): void => {
    const facts = `${duration.toFixed(1)} s, ${events} ${events === 1 ? 'event' : 'events'}`;
    io.stdout.write(json ? `${jsonText({ film, duration, events })}\n` : `${oneLine(`${film}: ${facts}`)}\n`);
  };
  const failed = await watchFolder(box, session, { folder, tasks, settle, once, signal: io.signal, onFilm });
  await box.drained(io.signal);
  return failed > 0 ? 2 : 0;
}

/** Options of the one that are given to the other would be passed over in silence. */
function checkKind(values: Flags, isFolder: boolean): void {
  const astray = isFolder ? (['hop', 'reopen', 'title'] as const) : (['settle', 'once'] as const);
  for (const name of astray) {
    if (values[name] === undefined) continue;
    throw usageError(`--${name} is for ${isFolder ? 'an ADDRESS, and this is a folder' : 'a DIR'}.`, 'watch');
  }
}

const fraction = (values: Flags, name: 'hop' | 'settle', range: { least: number; most: number }) =>
  values[name] === undefined ? undefined : readNumber('watch', name, values[name], { ...range, whole: false });

async function boxOptions(values: Flags, folder: string | null, io: Io): Promise<BoxOptions> {
  const { boxName } = await import('../node/box/messages.ts');
  const name = values.name ?? boxName(hostname());
  if (name !== boxName(name)) {
    throw new MettleError('invalid-argument', `--name "${name}" cannot be part of a topic.`, {
      hint: 'Up to 60 letters, digits, "_" and "-".',
    });
  }
  const url = values.mqtt ?? io.env.METTLE_MQTT;
  const room = readNumber('watch', 'queue-mb', values['queue-mb'] ?? '64', { least: 1, most: 1e6 });
  const { discovery = 'homeassistant', health } = values;
  return {
    name,
    state:
      values.state ?? io.env.STATE_DIRECTORY ?? (folder ? join(folder, '.mettle') : join(defaultFolder(), 'box', name)),
    mqtt: url ? { url, discovery: discovery === 'none' ? null : discovery, room: room * 1e6 } : null,
    health: health === undefined ? null : readNumber('watch', 'health', health, { least: 1, most: 65_535 }),
    env: io.env,
    onNote: (text) => void io.stderr.write(`${oneLine(`mettle: ${text}`)}\n`),
  };
}

const withoutSecrets = (address: string): string => address.replace(/^([a-z][\w+.-]*:\/\/)[^/@]*@/i, '$1');

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
