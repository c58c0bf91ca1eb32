/** `mettle serve` over real HTTP: what the hub asks, what pages need, and what is not given out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../sdk/hub/hub.ts';
import { type Serving, serveFolder } from '../../sdk/node/publish/serve.ts';
import { mettle } from '../helpers/mettle-command.ts';

let place = '';
let serving: Serving;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'mettle-serve-'));
  const root = join(place, 'root');
  await mkdir(join(root, 'page', '.hidden'), { recursive: true });
  await writeFile(join(place, 'secret.txt'), 'secret');
  await writeFile(join(root, 'abc.bin'), 'abcdefghij');
  await writeFile(join(root, 'empty.json'), '');
  await writeFile(join(root, 'page/index.html'), '<!doctype html>');
  await writeFile(join(root, 'page/.hidden/key.pem'), 'secret');
  await symlink(join(place, 'secret.txt'), join(root, 'out.txt'));
  await symlink(join(root, 'abc.bin'), join(root, 'in.wasm'));
  serving = await serveFolder(root, { port: 0, address: '127.0.0.1', isolated: true });
});
afterAll(async () => {
  await serving.close();
  await rm(place, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(new URL(path, serving.url), { headers, method, redirect: 'manual' });

/** As it is written: `fetch` would take dots out of a path before it is sent. */
const raw = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(serving.url);
    request({ hostname, port, path }, (response) => resolve(response.resume().statusCode!))
      .on('error', reject)
      .end();
  });

describe('a served folder', () => {
  test.each([
    [undefined, 200, 'abcdefghij', null],
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=7-99', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=5-4', 416, '', 'bytes */10'],
    ['bytes=0-1,3-4', 200, 'abcdefghij', null],
    ['lines=1-2', 200, 'abcdefghij', null],
  ])('answers the range %s with %i', async (range, status, body, contentRange) => {
    const response = await get('abc.bin', range ? { Range: range } : {});
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
  });

  test('has a tag for each version of a file, and keeps to it', async () => {
    const tag = (await get('abc.bin')).headers.get('etag')!;
    expect(tag).toMatch(/^"[\w-]+"$/);
    expect((await get('abc.bin', { 'If-None-Match': tag })).status).toBe(304);
    expect((await get('abc.bin', { Range: 'bytes=0-1', 'If-Range': tag })).status).toBe(206);
    expect((await get('abc.bin', { Range: 'bytes=0-1', 'If-Range': '"other"' })).status).toBe(200);
    await writeFile(join(place, 'root/abc.bin'), 'abcdefghij');
    expect((await get('abc.bin')).headers.get('etag')).not.toBe(tag);
  });

  test('lets pages of any origin read it, and isolates its own', async () => {
    const { headers } = await get('page/');
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringContaining('Content-Range'),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'cross-origin',
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    const asked = await get(
      'abc.bin',
      { Origin: 'https://a.example', 'Access-Control-Request-Headers': 'range' },
      'OPTIONS',
    );
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-headers')).toContain('Range');
  });

  test('types files by their names, and gives folders their slash', async () => {
    expect((await get('in.wasm')).headers.get('content-type')).toBe('application/wasm');
    expect((await get('empty.json')).headers.get('content-type')).toBe('application/json');
    expect((await get('abc.bin')).headers.get('content-type')).toBe('application/octet-stream');
    expect((await get('empty.json')).headers.get('content-length')).toBe('0');
    const folder = await get('page?x=1');
    expect([folder.status, folder.headers.get('location')]).toEqual([301, '/page/?x=1']);
    const head = await get('abc.bin', {}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '10', '']);
    expect((await get('abc.bin', {}, 'PUT')).status).toBe(405);
  });

  test.each([
    '/../secret.txt',
    '/page/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/page/..%5c..%5csecret.txt',
    '//secret.txt/..',
    '/out.txt',
    '/page/.hidden/key.pem',
    '/page/%2ehidden/key.pem',
    '/abc.bin%00.txt',
    '/%',
    '/nothing',
    '/',
  ])('gives nothing out for %s', async (path) => {
    expect(await raw(path)).toBe(404);
  });
});

describe('mettle serve', () => {
  test('serves models to the hub until it is stopped', async () => {
    const adapters = fileURLToPath(new URL('../../adapters/', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', 'sdk/cli/mettle.ts', 'serve', adapters, '--port', '0'], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const errors: string[] = [];
    child.stderr.on('data', (text) => errors.push(String(text)));
    const [line] = (await once(child.stdout, 'data')).map(String);
    const url = /(http:\/\/127\.0\.0\.1:\d+\/)/.exec(line!)![1]!;
    const { manifest } = await loadModel(`${url}adapters/toybox-ave`, 'adapter', 'wasm', {
      cache: join(place, 'cache'),
    });
    expect(manifest.id).toBe('toybox-ave');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect([code, errors.join('')]).toEqual([0, '']);
  });

  test('says what is wrong with a folder, a port or an address', async () => {
    const port = new URL(serving.url).port;
    const missing = await mettle(['serve', join(place, 'none')]);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('is no folder') });
    expect(await mettle(['serve', place, '--port', port])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`Port ${port} is taken.`),
    });
    expect((await mettle(['serve', place, '--port', '99999'])).err).toContain(
      '--port must be a whole number from 0 to 65535',
    );
    expect(await mettle(['serve', place, '--port', '0', '--address', '203.0.113.1'])).toMatchObject({ code: 2 });
  });
});
