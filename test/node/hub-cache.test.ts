/** The cache of Node and what is asked of the network beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import type { Warning } from '../../sdk/errors.ts';
import { openCache } from '../../sdk/hub/cache.ts';
import { loadModel, openModel } from '../../sdk/hub/hub.ts';
import { bytesFor } from '../../sdk/node/bytes.ts';
import { defaultFolder } from '../../sdk/node/store.ts';
import { logOf } from '../helpers/fault-cases.ts';
import { chunkBytes, madeWeights, weightsBytes, weightsPath } from '../helpers/fault-file.ts';
import { type FaultServer, faultServer } from '../helpers/fault-server.ts';

const digestOf = (bytes: Uint8Array | undefined): string => createHash('sha256').update(bytes!).digest('hex');
const right = digestOf(madeWeights());
const child = fileURLToPath(new URL('../helpers/hub-child.ts', import.meta.url));

let server: FaultServer;
let folder = '';
let cache = '';
let runs = 0;
let run = '';
beforeAll(async () => {
  server = await faultServer();
  folder = await mkdtemp(join(tmpdir(), 'mettle-cache-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  run = `cache-${++runs}`;
  cache = join(folder, run);
});

const at = (fault = 'none', ending = ''): string => `${server.url}/${fault}/${run}/${ending}`;
const load = (options: Parameters<typeof loadModel>[3] = {}, address = at()) =>
  loadModel(address, 'adapter', 'wasm', { cache, ...options });
const asked = async () => (await logOf(server.url, run)).asked.map(({ path }) => path);
const heal = () => fetch(`${server.url}/heal/${run}`);

describe('a cache', () => {
  test('answers for a model that was loaded before, and nobody else is asked', async () => {
    await load();
    expect((await asked())[0]).toBe('manifest.json');
    await heal();
    expect(digestOf((await load()).files[weightsPath])).toBe(right);
    expect(await asked()).toEqual([]);
    await load({ refresh: true });
    expect(await asked()).toEqual(['manifest.json']);
  });

  test('knows files by their digest, whatever their address', async () => {
    await load();
    await heal();
    await load({}, at('none', 'plain/'));
    // The other manifest knows no pieces of the weights: those of the cache are no whole file for it.
    expect(await asked()).toEqual(['plain/manifest.json', `plain/${weightsPath}`]);
    await heal();
    await load({}, at('drip', ''));
    expect(await asked()).toEqual(['manifest.json']);
  });

  test('is not asked for with false, and not written to', async () => {
    await load({ cache: false });
    await heal();
    await load({ cache: false });
    expect(await asked()).toHaveLength(4);
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
  });

  test('keeps the time of two callers from being twice: one download for both, a copy for each', async () => {
    const [one, other] = await Promise.all([load({}, at('drip')), load({}, at('drip'))]);
    expect(digestOf(one.files[weightsPath])).toBe(right);
    expect(digestOf(other.files[weightsPath])).toBe(right);
    expect(one.files[weightsPath]!.buffer).not.toBe(other.files[weightsPath]!.buffer);
    expect((await logOf(server.url, run)).sent).toBe(weightsBytes);
  });

  test('mends what was damaged on the disk', async () => {
    await load();
    const blobs = (await readdir(cache)).filter((name) => name.startsWith('sha256-'));
    for (const name of blobs) {
      const bytes = await readFile(join(cache, name));
      if (bytes.length !== chunkBytes) continue;
      bytes.fill(0, chunkBytes / 2);
      await writeFile(join(cache, name), bytes);
      break;
    }
    await heal();
    expect(digestOf((await load()).files[weightsPath])).toBe(right);
    const log = await logOf(server.url, run);
    expect(log.asked.map(({ path }) => path)).toEqual([weightsPath]);
    expect(log.sent).toBe(chunkBytes);
    expect(await (await openCache({ cache })).verify()).toMatchObject({ damaged: 0 });
  });

  test('that cannot be written, or is full, is a warning and no more', async () => {
    const file = join(folder, `file-${run}`);
    await writeFile(file, '');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const platform = bytesFor();
    const openStore = async (place?: string) => ({
      ...(await platform.openStore!(place)),
      put: () => Promise.reject(full),
    });
    for (const [options, message] of [
      [{ cache: file }, /^Nothing more is kept .*(EEXIST|ENOTDIR)/],
      [{ platform: { ...platform, openStore } }, /^Nothing more is kept .*ENOSPC/],
    ] as const) {
      const warnings: Warning[] = [];
      const { files } = await load({ ...options, onWarning: (warning) => warnings.push(warning) });
      expect(digestOf(files[weightsPath])).toBe(right);
      expect(warnings).toEqual([{ code: 'no-cache', message: expect.stringMatching(message) }]);
    }
    expect(await (await openCache({ cache })).list()).toEqual([]);
  });

  test('does not hold what was aborted before it was checked, and the socket ends', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (progress: { type: string; received: number }) => {
      if (progress.type === 'file' && progress.received > 100_000) controller.abort(reason);
    };
    await expect(load({ signal: controller.signal, onProgress }, at('drip'))).rejects.toBe(reason);
    expect(await (await openCache({ cache })).verify()).toMatchObject({ damaged: 0 });
    await expect.poll(async () => (await logOf(server.url, run)).sent).toBeLessThan(weightsBytes);
    await heal();
    expect(digestOf((await load({}, at('drip'))).files[weightsPath])).toBe(right);
    const { sent } = await logOf(server.url, run);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(weightsBytes - 5 * chunkBytes);
  });

  test('holds no page that came in place of a manifest', async () => {
    const page = at('none', 'nothing/');
    await expect(openModel(page, 'adapter', { cache })).rejects.toMatchObject({ code: 'not-found' });
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
  });
});

describe('several processes', () => {
  const start = (address: string): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', child, address, cache], { stdio: ['ignore', 'pipe', 'inherit'] });
  const outputOf = async (started: ChildProcess): Promise<string> => {
    let text = '';
    for await (const part of started.stdout!) text += part;
    return text;
  };

  test('may fill the same cache at the same time', async () => {
    const both = [start(at()), start(at())];
    expect(await Promise.all(both.map(outputOf))).toEqual([right, right]);
    expect(await (await openCache({ cache })).verify()).toMatchObject({ damaged: 0 });
    expect((await readdir(cache)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('that are killed in the midst of it leave what the next one goes on with', async () => {
    const killed = start(at('drip'));
    await expect
      .poll(async () => (await logOf(server.url, run)).sent, { timeout: 50_000 })
      .toBeGreaterThan(6 * chunkBytes);
    killed.kill('SIGKILL');
    await outputOf(killed);
    const half = join(cache, `.sha256-${'0'.repeat(64)}.1-aaaaaaaa.part`);
    await writeFile(half, 'half of a piece');
    expect(await (await openCache({ cache })).verify()).toMatchObject({ damaged: 0 });
    await heal();
    expect(digestOf((await load({}, at('drip'))).files[weightsPath])).toBe(right);
    expect((await logOf(server.url, run)).sent).toBeLessThan(weightsBytes);
    const old = new Date(Date.now() - 86_400_000);
    await utimes(half, old, old);
    await (await openCache({ cache })).prune(1e9);
    await expect(readFile(half)).rejects.toThrow('ENOENT');
  });
});

describe('offline', () => {
  test('nothing is tried: what was loaded is there, what was not is named', async () => {
    await expect(load({ offline: true })).rejects.toMatchObject({
      code: 'network',
      message: `${at()}manifest.json is not on this device, and options.offline forbids to fetch it.`,
    });
    expect(await asked()).toEqual([]);
    await load();
    await heal();
    expect(digestOf((await load({ offline: true })).files[weightsPath])).toBe(right);
    expect(await asked()).toEqual([]);
    await (await openCache({ cache })).prune(0);
    await expect(load({ offline: true })).rejects.toMatchObject({ code: 'network' });
  });

  test('a manifest without its files names the file', async () => {
    await openModel(at(), 'adapter', { cache });
    await expect(load({ offline: true })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('is not on this device'),
    });
  });
});

describe('the owner of a cache', () => {
  const bytes = async () => (await openCache({ cache })).size();

  test('sees models, and deletes them by name', async () => {
    await load();
    const owned = await openCache({ cache });
    expect(owned.place).toBe(cache);
    const [model, ...more] = await owned.list();
    expect(more).toEqual([]);
    expect(model).toMatchObject({
      id: 'toybox-ave',
      kind: 'adapter',
      version: '1.0.0',
      address: `${at()}manifest.json`,
    });
    expect(model!.bytes).toBeGreaterThan(weightsBytes);
    expect(Math.abs(model!.used.getTime() - Date.now())).toBeLessThan(3_600_000);
    expect(await owned.delete('nothing')).toBe(0);
    expect(await owned.delete('toybox-ave')).toBeGreaterThan(weightsBytes);
    expect(await readdir(cache)).toEqual([]);
  });

  test('prunes what was used least lately, also where a clock went ahead, and keeps what others share', async () => {
    await load({}, at('none'));
    const first = await bytes();
    await load({}, at('drip'));
    expect((await bytes()) - first).toBeLessThan(1000);
    const owned = await openCache({ cache });
    const records = (await readdir(cache)).filter((name) => name.startsWith('at-'));
    for (const name of records) {
      const record = JSON.parse(await readFile(join(cache, name), 'utf8'));
      const used = record.address.includes('/drip/') ? '2099-01-01T00:00:00.000Z' : '2020-01-01T00:00:00.000Z';
      await writeFile(join(cache, name), JSON.stringify({ ...record, used }));
    }
    const [latest] = await owned.list();
    expect(latest!.address).toContain('/drip/');
    expect(latest!.used.getTime()).toBeLessThanOrEqual(Date.now());
    await owned.prune((await bytes()) - 1);
    expect((await owned.list()).map(({ address }) => address)).toEqual([`${at('drip')}manifest.json`]);
    await heal();
    await load({}, at('drip'));
    expect(await asked()).toEqual([]);
    await expect(owned.prune(-1)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await owned.prune(0)).toBeGreaterThan(weightsBytes);
    expect(await readdir(cache)).toEqual([]);
  });

  test('does the same on the command line', async () => {
    await load();
    const mettle = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
      let [out, err] = ['', ''];
      const stdout = { write: (text: string) => (out += text) };
      const stderr = { write: (text: string) => (err += text) };
      const code = await main(['cache', ...argv, '--cache', cache], { stdout, stderr });
      return { code, out, err };
    };
    const list = await mettle('list');
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toMatch(
      /^\S+: 32\d\.\d kB\n {2} 32\d\.\d kB {2}\d{4}-\d\d-\d\d {2}adapter toybox-ave 1\.0\.0 http/,
    );
    expect(JSON.parse((await mettle('list', '--json')).out)).toMatchObject({ models: [{ id: 'toybox-ave' }] });
    expect(await mettle('verify')).toMatchObject({ code: 0, out: expect.stringMatching(/: 0 damaged/) });
    const [name] = (await readdir(cache)).filter((file) => file.startsWith('sha256-'));
    await writeFile(join(cache, name!), 'something else');
    expect(await mettle('verify')).toMatchObject({ code: 2, out: expect.stringMatching(/: 1 damaged and removed/) });
    expect(await mettle('delete', 'toybox-ave')).toMatchObject({ code: 0 });
    expect(await mettle('prune', '--max-mb', '0')).toMatchObject({ code: 0 });
    expect(await readdir(cache)).toEqual([]);
    expect(await mettle('prune', '--max-mb', 'all')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--max-mb'),
    });
    expect(await mettle('sell')).toMatchObject({ code: 2, err: expect.stringContaining('"sell" is none of') });
  });
});

test('the folder is where the operating system wants it, unless the environment names one', () => {
  expect(defaultFolder({ METTLE_CACHE: '/m', XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/m');
  expect(defaultFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/x/mettle-edge');
  expect(defaultFolder({}, 'linux')).toMatch(/\.cache\/mettle-edge$/);
  expect(defaultFolder({}, 'darwin')).toMatch(/Library\/Caches\/mettle-edge$/);
  expect(defaultFolder({ LOCALAPPDATA: '/l' }, 'win32')).toBe('/l/mettle-edge/Cache');
});
