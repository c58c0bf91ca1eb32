/** The examples' static server: what pages, films and strangers get. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../../examples/serve.mjs';

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-serve-'));
  await mkdir(join(folder, 'site/page'), { recursive: true });
  await writeFile(join(folder, 'secret'), 'secret');
  await writeFile(join(folder, 'site/page/index.html'), '<h1>page</h1>');
  for (const name of ['a.mjs', 'a.wasm', 'a.onnx', 'a.safetensors', 'a.webm']) {
    await writeFile(join(folder, 'site', name), '0123456789');
  }
  server = await serve({ root: join(folder, 'site'), isolated: true });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test.for([
  ['a.mjs', 'text/javascript; charset=utf-8'],
  ['a.wasm', 'application/wasm'],
  ['a.onnx', 'application/octet-stream'],
  ['a.safetensors', 'application/octet-stream'],
  ['a.webm', 'video/webm'],
])('%s is %s', async ([name, type]) => {
  const response = await fetch(`${server.url}/${name}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(type);
  expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(await response.text()).toBe('0123456789');
});

test.for([
  ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-3', 206, '789', 'bytes 7-9/10'],
  ['bytes=5-99', 206, '56789', 'bytes 5-9/10'],
  ['bytes=10-', 416, '', 'bytes */10'],
] as const)('range %s', async ([range, status, text, contentRange]) => {
  const response = await fetch(`${server.url}/a.webm`, { headers: { Range: range } });
  expect([response.status, await response.text()]).toEqual([status, text]);
  expect(response.headers.get('content-range')).toBe(contentRange);
});

test('a folder is its index.html, below an address with a slash', async () => {
  const response = await fetch(`${server.url}/page?device=wasm`);
  expect(response.url).toBe(`${server.url}/page/?device=wasm`);
  expect(await response.text()).toBe('<h1>page</h1>');
});

test('nothing outside the folder is given away, and nothing is written', async () => {
  // fetch would tidy such paths up before sending them.
  const status = (path: string, method = 'GET') =>
    new Promise((resolve, reject) => {
      request(server.url, { path, method }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  for (const path of ['/../secret', '/%2e%2e/secret', '/..%2fsecret', '/page/../../secret', '/missing', '/%ff']) {
    expect(await status(path), path).toBe(404);
  }
  expect(await status('/a.webm', 'PUT')).toBe(405);
});
