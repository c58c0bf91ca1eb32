/** What an edge box is made of, and `mettle watch DIR`, with a made-up SDK behind them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { Box } from '../../sdk/node/box/box.ts';
import { DiskQueue, type Message } from '../../sdk/node/box/disk-queue.ts';
import { newFilms } from '../../sdk/node/box/new-films.ts';
import { Quarantine } from '../../sdk/node/box/quarantine.ts';
import { serviceManager } from '../../sdk/node/box/systemd.ts';
import type { BoxSession } from '../../sdk/node/box/types.ts';
import { watchFolder } from '../../sdk/node/box/watch-folder.ts';
import { FakeCommand } from '../helpers/fake-command.ts';
import { findings } from '../helpers/findings.ts';
import { freePort } from '../helpers/servers.ts';
import { tinyDisk } from '../helpers/tiny-disk.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-box-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const disk = tinyDisk(256 * 1024);
const noDisk = disk ? '' : ' (skipped: this user may not mount a disk)';
disk?.remove();

const message = (id: string | number, payload = 'x'): Message => ({ id: String(id), topic: 'a/b', payload });

/** Takes out all that waits. */
async function emptied(queue: DiskQueue): Promise<string[]> {
  const ids: string[] = [];
  for (let next = await queue.first(); next; next = await queue.first()) {
    ids.push(next.message.id);
    await queue.remove(next.file);
  }
  return ids;
}

describe('the queue', () => {
  test('keeps messages in order, each once, for the next process too', async () => {
    const folder = join(root, 'queue');
    const one = await DiskQueue.open(folder, 1e6);
    for (const id of ['a', 'b', 'a', 'c']) expect(await one.add(message(id))).toBe(true);
    const first = await one.first();
    expect(first?.message).toEqual(message('a'));
    await one.remove(first!.file);
    const other = await DiskQueue.open(folder, 1e6);
    await other.add(message('d'));
    await other.add(message('b'));
    expect([other.size, await emptied(other), other.dropped]).toEqual([3, ['b', 'c', 'd'], 0]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('beyond its room loses the oldest, and counts them', async () => {
    const queue = await DiskQueue.open(root, 3 * 4096);
    for (let id = 0; id < 10; id++) await queue.add(message(id));
    expect([queue.dropped, await emptied(queue)]).toEqual([7, ['7', '8', '9']]);
  });

  test('passes over what was damaged', async () => {
    const queue = await DiskQueue.open(root, 1e6);
    for (const id of ['a', 'b']) await queue.add(message(id));
    await writeFile(join(root, (await readdir(root)).sort()[0]!), '{"id":');
    expect(await emptied(await DiskQueue.open(root, 1e6))).toEqual(['b']);
  });

  test.skipIf(!disk)(`on a full disk keeps messages in memory until there is room${noDisk}`, async () => {
    const small = tinyDisk(64 * 1024)!;
    try {
      const queue = await DiskQueue.open(join(small.path, 'queue'), 1e6);
      await queue.add(message('a'));
      await writeFile(join(small.path, 'filling'), new Uint8Array(64 * 1024)).catch(() => {});
      expect(await queue.add(message('b', 'y'.repeat(9000)))).toBe(false);
      await rm(join(small.path, 'filling'));
      expect(await queue.add(message('c'))).toBe(true);
      expect(await emptied(await DiskQueue.open(join(small.path, 'queue'), 1e6))).toEqual(['a', 'b', 'c']);
    } finally {
      small.remove();
    }
  });
});

describe('the quarantine', () => {
  const broken = new MettleError('not-media', 'This is no film.');

  test('has a film with a fault of its own at once, until it changes', async () => {
    const one = await Quarantine.open(root);
    await one.begin('a.mp4', '1');
    expect(await one.fail('a.mp4', '1', broken)).toBe(true);
    const other = await Quarantine.open(root);
    expect([other.has('a.mp4', '1'), other.has('a.mp4', '2')]).toEqual([true, false]);
  });

  test('has a film that took the process along three times', async () => {
    for (const expected of [false, false, true]) {
      await (await Quarantine.open(root)).begin('a.mp4', '1');
      expect((await Quarantine.open(root)).has('a.mp4', '1')).toBe(expected);
    }
  });

  test('does not count a full disk, and forgets what succeeded', async () => {
    const quarantine = await Quarantine.open(root);
    for (let tries = 0; tries < 5; tries++) {
      await quarantine.begin('a.mp4', '1');
      expect(await quarantine.fail('a.mp4', '1', new MettleError('write', 'full'))).toBe(false);
    }
    await quarantine.begin('a.mp4', '1');
    await quarantine.succeed('a.mp4');
    expect(JSON.parse(await readFile(join(root, 'quarantine.json'), 'utf8'))).toEqual({});
  });

  test('that was damaged counts as empty', async () => {
    await writeFile(join(root, 'quarantine.json'), '{"a.mp4": 7}');
    const quarantine = await Quarantine.open(root);
    expect(quarantine.has('a.mp4', '7')).toBe(false);
    await quarantine.begin('b.mp4', '1');
    expect(await quarantine.fail('b.mp4', '1', broken)).toBe(true);
  });
});

test('a film that grows is given when it is whole', async () => {
  const path = join(root, 'a.mp4');
  await writeFile(path, 'first');
  const stop = new AbortController();
  const growing = (async () => {
    for (let i = 0; i < 4; i++) {
      await setTimeout(150);
      await appendFile(path, 'more');
    }
  })();
  const options = { folder: root, settle: 0.6, once: false, onLook: () => {}, wanted: async () => true };
  const { value } = await newFilms({ ...options, signal: stop.signal }).next();
  await growing;
  expect(value).toEqual({ path, mark: expect.stringMatching(/^21-\d+$/) });
});

/** Finds the same in every film. */
const session = (): BoxSession & { asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    info: () => findings().engine!,
    async analyze(source, { onProgress }) {
      asked.push(source);
      onProgress?.();
      if (source.includes('broken')) throw new MettleError('not-media', 'This is no film.', { hint: 'Check it.' });
      return findings();
    },
    watch: () => expect.unreachable(),
  };
};

describe('a folder', () => {
  const signal = new AbortController().signal;
  const box = (state: string, notes: string[] = []) =>
    Box.open({ name: 'b', state, mqtt: null, health: null, env: {}, onNote: (text) => notes.push(text) });
  const job = { settle: 0, once: true, signal, onFilm: () => {} };

  test('gets results beside each film, once; a broken one is given up and keeps no other', async () => {
    await mkdir(join(root, 'door'));
    for (const name of ['a.mp4', 'broken.mp4', 'door/b.webm', 'notes.txt']) await writeFile(join(root, name), 'film');
    const notes: string[] = [];
    const state = join(root, '.mettle');
    const mettle = session();
    expect(await watchFolder(await box(state, notes), mettle, { ...job, folder: root })).toBe(1);
    expect((await readdir(root)).sort()).toEqual(
      ['.mettle', 'a.mp4', 'a.mp4.json', 'a.mp4.vtt', 'broken.mp4', 'door', 'notes.txt'].sort(),
    );
    expect(await readdir(join(root, 'door'))).toEqual(['b.webm', 'b.webm.json', 'b.webm.vtt']);
    expect(JSON.parse(await readFile(join(root, 'a.mp4.json'), 'utf8'))).toMatchObject({
      format: 'mettle-edge/results',
      source: { name: 'a.mp4' },
    });
    expect(await readFile(join(root, 'a.mp4.vtt'), 'utf8')).toMatch(/^WEBVTT\n/);
    expect(notes).toEqual([`${join(root, 'broken.mp4')}: This is no film. It is not tried again.`]);

    // Another process: nothing is left to do.
    const again = session();
    expect(await watchFolder(await box(state), again, { ...job, folder: root })).toBe(0);
    expect(again.asked).toEqual([]);

    // A film that was moved here in the place of another is analyzed, however old it is.
    await writeFile(join(root, 'other'), 'new film');
    await utimes(join(root, 'other'), 1, 1);
    await setTimeout(20);
    await rename(join(root, 'other'), join(root, 'a.mp4'));
    await writeFile(join(root, 'broken.mp4'), 'mended?');
    await watchFolder(await box(state), again, { ...job, folder: root });
    expect(again.asked).toEqual([join(root, 'a.mp4'), join(root, 'broken.mp4')]);
  });

  test.skipIf(!disk)(
    `on a full disk is survived: nothing is half written, and the film is not given up${noDisk}`,
    async () => {
      const small = tinyDisk(256 * 1024)!;
      try {
        const film = join(small.path, 'a.mp4');
        await writeFile(film, 'film');
        await writeFile(join(small.path, 'filling'), new Uint8Array(256 * 1024)).catch(() => {});
        const state = join(root, 'state');
        const full = await box(state);
        expect(await watchFolder(full, session(), { ...job, folder: small.path })).toBe(1);
        expect(full.health()).toMatchObject({ ok: false, problems: [expect.stringContaining('the disk is full')] });
        expect((await readdir(small.path)).sort()).toEqual(['a.mp4', 'filling']);

        await rm(join(small.path, 'filling'));
        const later = await box(state);
        expect(await watchFolder(later, session(), { ...job, folder: small.path })).toBe(0);
        expect(later.health()).toMatchObject({ ok: true, films: 1 });
        expect((await stat(`${film}.json`)).size).toBeGreaterThan(100);
      } finally {
        small.remove();
      }
    },
  );

  test('is watched by the command, which tells how it is', async () => {
    const command = await FakeCommand.open();
    await writeFile(join(root, 'a.mp4'), 'film');
    const stop = new AbortController();
    const port = await freePort();
    const running = command.run(['watch', root, '--settle', '0', '--health', String(port)], { signal: stop.signal });
    const health = () => fetch(`http://127.0.0.1:${port}/`);
    await expect.poll(() => health().then((r) => r.json()), { timeout: 20_000 }).toMatchObject({ films: 1, ok: true });
    expect((await health()).status).toBe(200);
    await writeFile(join(root, 'b.mp4'), 'film');
    await expect.poll(() => health().then((r) => r.json()), { timeout: 20_000 }).toMatchObject({ films: 2 });
    stop.abort();
    const { code, out } = await running;
    const events = findings().results.flatMap((result) => ('events' in result ? result.events : [])).length;
    expect([code, out]).toEqual([
      130,
      ['a', 'b'].map((name) => `${join(root, name)}.mp4: 2.5 s, ${events} events\n`).join(''),
    ]);
    expect(command.session.disposed).toBe(true);
    await command.close();
  });

  test.each([
    [['--hop', '0.5'], 'is for an ADDRESS'],
    [['--settle', '-1'], '--settle'],
    [['--name', 'a/b'], 'part of a topic'],
    [['--mqtt', 'http://host'], 'mqtt://'],
  ])('%j is refused', async (args, text) => {
    const command = await FakeCommand.open();
    const { code, err } = await command.run(['watch', root, ...args]);
    expect(code).toBe(2);
    expect(err).toContain(text);
    await command.close();
  });

  test('without the client a broker cannot be told, and the error says what to install', async () => {
    vi.doMock('mqtt', () => {
      throw new Error('Cannot find package');
    });
    const command = await FakeCommand.open();
    const { code, err } = await command.run(['watch', root, '--mqtt', 'mqtt://localhost']);
    vi.doUnmock('mqtt');
    expect([code, err]).toEqual([2, expect.stringContaining('npm install mqtt@')]);
    await command.close();
  });
});

/** What arrives at a socket as systemd's, line by line. */
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;

describe('systemd', () => {
  test('is told that the box is ready, that it is alive, and that it stops', async (context) => {
    const socket = join(root, 'notify');
    const python = spawn('python3', ['-c', listener, socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const spawned = await Promise.race([
        once(python, 'spawn').then(() => true),
        once(python, 'error').then(() => false),
      ]);
      if (!spawned) context.skip('python3 is not installed');
      const probe = spawn('systemd-notify', ['--version'], { stdio: 'ignore' });
      const there = await Promise.race([once(probe, 'exit').then(() => true), once(probe, 'error').then(() => false)]);
      if (!there) context.skip('systemd-notify is not installed');
      const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
      const next = async () => (await lines.next()).value as string;
      const until = async (text: string) => {
        for (let line = await next(); ; line = await next()) if (line.includes(text)) return line;
      };
      expect(await next()).toBe('listening');
      const service = serviceManager({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
      service.ready();
      expect(await until('READY=1')).toContain('READY=1');
      expect(await until('WATCHDOG=1')).toContain('WATCHDOG=1');
      service.close();
      expect(await until('STOPPING=1')).toContain('STOPPING=1');
    } finally {
      python.kill();
    }
  });
});
