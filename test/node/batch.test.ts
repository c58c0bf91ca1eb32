/** `mettle batch` with real processes and the shipped models, and what it is made of. */
import { appendFile, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filmMark, filmOf } from '../../sdk/node/batch/film.ts';
import { readList } from '../../sdk/node/batch/films.ts';
import { type Outcome, runBatch } from '../../sdk/node/batch/run.ts';
import { isInShard } from '../../sdk/node/batch/shard.ts';
import { workerCount } from '../../sdk/node/batch/workers.ts';
import { machineRoom } from '../../sdk/node/host/machine.ts';
import { filmWorkers, planFor, tinyFilm } from '../helpers/batch.ts';
import { FakeCommand } from '../helpers/fake-command.ts';
import { mettle } from '../helpers/mettle-command.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-batch-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function* lines(text: string) {
  yield text;
}

describe('a list', () => {
  test('of lines, from a file or a pipe, without comments', async () => {
    const file = join(root, 'list.txt');
    const text = '# two films\n\n a.mp4 \r\nhttps://host/b.webm\n';
    await writeFile(file, text);
    for (const list of [readList(file, lines('')), readList('-', lines(text))]) {
      expect(await list).toEqual(['a.mp4', 'https://host/b.webm']);
    }
  });

  test('of a folder are its films, and those of folders in it', async () => {
    await mkdir(join(root, 'b'));
    for (const name of ['z.mp4', 'b/a.WEBM', 'notes.txt', '.hidden.mp4']) await writeFile(join(root, name), '');
    expect((await readList(root, lines(''))).map((path) => relative(root, path))).toEqual(['b/a.WEBM', 'z.mp4']);
  });

  test('what is none is refused', async () => {
    await writeFile(join(root, 'list'), 'a\0b');
    await expect(readList(join(root, 'list'), lines(''))).rejects.toMatchObject({ code: 'invalid-file' });
    await expect(readList(tinyFilm, lines(''))).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(readList(join(root, 'none'), lines(''))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a film', () => {
  test('has one name however its path is written, and no other film has it', () => {
    const path = join(process.cwd(), 'films/door.mp4');
    const names = ['films/door.mp4', './films/../films/door.mp4', path, pathToFileURL(path).href].map(
      (address) => filmOf(address).name,
    );
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^door-[0-9a-f]{16}$/);
    expect(filmOf('other/door.mp4').name).not.toBe(names[0]);
    expect(filmOf('https://host/door.mp4?id=1').name).not.toBe(filmOf('https://host/door.mp4?id=2').name);
    expect(Buffer.byteLength(filmOf(`${'\u{1f514}'.repeat(90)}.mp4`).name)).toBeLessThan(215);
  });

  test('has another mark when it changes', async () => {
    const path = join(root, 'a.mp4');
    await writeFile(path, 'one');
    const marks = [await filmMark(filmOf(path))];
    await appendFile(path, 'two');
    marks.push(await filmMark(filmOf(path)));
    await utimes(path, 1, 1);
    marks.push(await filmMark(filmOf(path)));
    expect(new Set(marks).size).toBe(3);
    await expect(filmMark(filmOf(join(root, 'none.mp4')))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('at an address has the mark that its server tells', async () => {
    let etag = '"a"';
    const server = createServer((request, response) => {
      expect(request.method).toBe('HEAD');
      if (request.url === '/none.mp4') response.writeHead(404).end();
      else response.writeHead(200, { etag, 'content-length': 7 }).end();
    });
    await new Promise<void>((ready) => server.listen(0, ready));
    const film = (name: string) => filmOf(`http://localhost:${(server.address() as AddressInfo).port}/${name}`);
    const before = await filmMark(film('a.mp4'));
    expect(await filmMark(film('a.mp4'))).toBe(before);
    etag = '"b"';
    expect(await filmMark(film('a.mp4'))).not.toBe(before);
    expect(await filmMark(film('none.mp4'))).toBe('');
    server.close();
    server.closeAllConnections();
    await expect(filmMark(filmOf('http://localhost:9/a.mp4'))).rejects.toMatchObject({ code: 'network' });
  });

  test('is in one part of many, whatever else there is', () => {
    const films = Array.from({ length: 4000 }, (_, i) => filmOf(`/films/${i}.mp4`));
    const parts = [0, 1, 2].map((index) => films.filter((film) => isInShard(film, { index, count: 3 })));
    expect(parts.flat().length).toBe(films.length);
    // Of a fair draw a part differs from a third by more than 160 once in ten million times.
    for (const part of parts) expect(Math.abs(part.length - 4000 / 3)).toBeLessThan(160);
  });
});

describe('a machine', () => {
  test('has a process per core, as many as memory allows', () => {
    const count = (cores: number, gigabytes: number, given = {}) => {
      const { workers, threads } = workerCount({ cores, freeBytes: gigabytes * 1e9 }, 20e6, given);
      return [workers, threads];
    };
    expect(count(8, 64)).toEqual([8, 1]);
    expect(count(8, 2)).toEqual([2, 4]);
    expect(count(4, 0.1)).toEqual([1, 4]);
    expect(count(8, 64, { workers: 3 })).toEqual([3, 2]);
    expect(count(8, 64, { threads: 4 })).toEqual([8, 4]);
    expect(count(8, 64, { device: 'webgpu' })).toEqual([1, 8]);
  });

  test('that is a container has the cores that it may use', async () => {
    const { cores } = await machineRoom(`${root}/`);
    await mkdir(join(root, 'sys/fs/cgroup'), { recursive: true });
    const limited = async (text: string) => {
      await writeFile(join(root, 'sys/fs/cgroup/cpu.max'), text);
      return (await machineRoom(`${root}/`)).cores;
    };
    expect(await limited('max 100000\n')).toBe(cores);
    expect(await limited('50000 100000\n')).toBe(1);
    expect((await machineRoom()).freeBytes).toBeGreaterThan(0);
  });
});

describe('mettle batch', () => {
  const options = ['--adapter', 'toybox-llp', '--device', 'wasm', '--json'];
  const states = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ film, state }) => `${state} ${relative(root, film)}`)
      .sort();

  test('makes what is not there, and tells what fails', { timeout: 300_000 }, async () => {
    const [a, b, c] = ['a.webm', 'b.webm', 'c.mp4'].map((name) => join(root, name)) as [string, string, string];
    await copyFile(tinyFilm, a);
    await copyFile(tinyFilm, b);
    await writeFile(c, 'no film');
    const list = join(root, 'list.txt');
    await writeFile(list, [a, b, c, a, join(root, 'none.mp4')].join('\n'));
    const out = join(root, 'out');
    const run = (...more: string[]) => mettle(['batch', list, '--out', out, ...options, ...more]);

    const first = await run('--workers', '2');
    expect(states(first.out)).toEqual(['failed c.mp4', 'failed none.mp4', 'made a.webm', 'made b.webm']);
    expect(first.code).toBe(2);
    expect(first.err).toContain('2 of 4 films failed');
    const failures = (await readFile(join(out, 'failures.jsonl'), 'utf8')).trim().split('\n');
    expect(failures.map((line) => JSON.parse(line).code).sort()).toEqual(['not-found', 'not-media']);
    const folder = join(out, filmOf(a).name);
    expect((await readdir(folder)).sort()).toEqual(['batch.json', 'events.vtt', 'results.json']);
    const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
    expect(results).toMatchObject({ format: 'mettle-edge/results', source: { name: 'a.webm' } });
    expect((await readdir(out)).sort()).toEqual([filmOf(a).name, filmOf(b).name, 'failures.jsonl'].sort());

    // Nothing is to be made, so no process is started; what failed is tried again.
    await writeFile(list, [a, b].join('\n'));
    const made = (await stat(join(folder, 'results.json'))).mtimeMs;
    const second = await run();
    expect([second.code, states(second.out)]).toEqual([0, ['there a.webm', 'there b.webm']]);
    expect((await stat(join(folder, 'results.json'))).mtimeMs).toBe(made);
    expect(await readdir(out)).not.toContain('failures.jsonl');

    // Of a film that changed, and where more is asked for, outputs are made again.
    await utimes(b, 1, 1);
    expect(states((await run('--workers', '1')).out)).toEqual(['made b.webm', 'there a.webm']);
    const third = await run('--workers', '1', '--captions', 'de');
    expect(states(third.out)).toEqual(['made a.webm', 'made b.webm']);
    expect(await readFile(join(folder, 'captions.vtt'), 'utf8')).toMatch(/^WEBVTT/);
  });

  test('models that cannot be loaded end it before a film is touched', async () => {
    const out = join(root, 'out');
    await writeFile(join(root, 'list'), tinyFilm);
    const found = await mettle(['batch', join(root, 'list'), '--out', out, '--adapter', './none', '--json']);
    expect([found.code, found.out]).toEqual([2, '']);
    expect(found.err).toContain('none');
  });

  test('a process that is killed in the midst costs nothing but time', { timeout: 200_000 }, async () => {
    const { plan, outputs } = await planFor(join(root, 'out'));
    const outcomes: Outcome[] = [];
    let killed = 0;
    await runBatch({
      plan,
      outputs,
      films: [filmOf(tinyFilm)],
      workers: 1,
      onSecond() {
        if (killed > 0) return;
        killed = filmWorkers()[0]!;
        process.kill(killed, 'SIGKILL');
      },
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    expect(killed).toBeGreaterThan(0);
    expect(outcomes.map(({ state }) => state)).toEqual(['made']);
    expect(filmWorkers()).toEqual([]);
  });

  test('a film that always takes its process along fails, and the next one is made', { timeout: 200_000 }, async () => {
    const other = join(root, 'other.webm');
    await copyFile(tinyFilm, other);
    const { plan, outputs } = await planFor(join(root, 'out'));
    const outcomes: Outcome[] = [];
    await runBatch({
      plan,
      outputs,
      films: [filmOf(tinyFilm), filmOf(other)],
      workers: 1,
      onSecond() {
        if (outcomes.length === 0) process.kill(filmWorkers()[0]!, 'SIGKILL');
      },
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    expect(outcomes).toMatchObject([{ state: 'failed', error: { code: 'worker-died' } }, { state: 'made' }]);
  });

  test('stopped in the midst it leaves nothing half, and no process; the next run goes on', {
    timeout: 200_000,
  }, async () => {
    const out = join(root, 'out');
    const { plan, outputs } = await planFor(out);
    const batch = { plan, outputs, films: [filmOf(tinyFilm)], workers: 1 };
    const controller = new AbortController();
    const reason = new Error('enough');
    const stopped = runBatch({
      ...batch,
      signal: controller.signal,
      onSecond: () => controller.abort(reason),
      onOutcome: () => expect.unreachable(),
    });
    await expect(stopped).rejects.toBe(reason);
    expect([await readdir(out), filmWorkers()]).toEqual([[], []]);
    const outcomes: Outcome[] = [];
    await runBatch({ ...batch, onOutcome: (outcome) => outcomes.push(outcome) });
    expect(outcomes.map(({ state }) => state)).toEqual(['made']);
  });

  test('wrong usage', async () => {
    const command = await FakeCommand.open();
    const list = join(root, 'list');
    await writeFile(list, 'a.mp4');
    const fails = async (args: string[], env = {}) => {
      const { code, err } = await command.run(['batch', ...args], { env });
      expect(code).toBe(2);
      return err;
    };
    expect(await fails([])).toContain('Name one LIST');
    expect(await fails([list])).toContain('--out');
    const out = ['--out', join(root, 'out')];
    for (const shard of ['3/3', 'a', '-1/3', '/3', '3']) {
      expect(await fails([list, ...out, `--shard=${shard}`])).toContain('--shard must be I/N');
    }
    expect(await fails([list, ...out, '--shard', '3'], { JOB_COMPLETION_INDEX: '3' })).toContain('is "3"');
    expect(await fails([list, ...out, '--workers', '0'])).toContain('--workers');
    await command.close();
  });

  test('parts share a folder, and a cluster may tell which part it is', async () => {
    const list = join(root, 'list');
    const films = Array.from({ length: 20 }, (_, i) => join(root, `${i}.mp4`));
    await writeFile(list, films.join('\n'));
    const out = join(root, 'out');
    const failed: string[] = [];
    for (const index of [0, 1]) {
      const found = await mettle(['batch', list, '--out', out, '--shard', `${index}/2`, ...options]);
      failed.push(...states(found.out));
      expect(found.err).toContain(`failures-${index}-of-2.jsonl`);
    }
    expect(failed.sort()).toEqual(films.map((film) => `failed ${relative(root, film)}`).sort());
  });
});
