/** What Node gives the SDK: paths and URLs, whole files, media sources. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesFor, sources } from '#bytes';
import { fetchFile } from '../../sdk/page/http.ts';

const door = bytesFor();

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
let folder: string;
let server: Server;
let origin: string;
let breaks = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-'));
  await writeFile(join(folder, 'a model.bin'), bytes);
  await writeFile(join(folder, 'empty.bin'), '');
  server = createServer((request, response) => {
    if (request.url === '/file') response.end(bytes);
    else if (request.url === '/broken') {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half', () => response.destroy());
    } else if (request.url === '/breaks-once') {
      breaks++;
      if (breaks > 1) return void response.end(bytes);
      response.writeHead(200, { 'content-length': bytes.byteLength });
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    } else if (request.url === '/busy') response.writeHead(503).end();
    else if (request.url !== '/silent') response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

describe('resolveUrl', () => {
  it('takes http and file URLs as URLs and all else as paths', () => {
    expect(door.resolveUrl('http://example.com/a?b').href).toBe('http://example.com/a?b');
    expect(door.resolveUrl('FILE:///a/b').href).toBe('file:///a/b');
    expect(door.resolveUrl('models/x y').href).toBe(pathToFileURL(resolve('models/x y')).href);
    expect(door.resolveUrl('mailto:x').href).toBe(pathToFileURL(resolve('mailto:x')).href);
  });

  it('keeps the slash of a folder, so that names resolve inside it', () => {
    expect(door.resolveUrl('/a/b/').href).toBe('file:///a/b/');
    expect(new URL('c', door.resolveUrl('/a/b/')).href).toBe('file:///a/b/c');
    expect(door.resolveUrl('/').href).toBe('file:///');
    expect(new URL(door.modelsUrl).pathname.endsWith('/adapters/')).toBe(true);
  });

  it('refuses broken URLs', () => {
    expect(() => door.resolveUrl('http://')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe.each([
  ['file', door.readFile],
  ['http', fetchFile],
] as const)('a whole file over %s', (scheme, readFile) => {
  const urlOf = (name: 'file' | 'missing') => {
    if (scheme === 'http') return new URL(name, `${origin}/`);
    return pathToFileURL(join(folder, name === 'file' ? 'a model.bin' : name));
  };

  it('reads all bytes and counts them', async () => {
    const counts: number[] = [];
    const read = await readFile(urlOf('file'), { onBytes: (received) => counts.push(received) });
    expect(read.length).toBe(bytes.length);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(counts.at(-1)).toBe(bytes.length);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });

  it('names what is missing', async () => {
    const error = readFile(urlOf('missing'), {});
    await expect(error).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('missing') });
  });

  it("rejects with the signal's reason, before and during the read", async () => {
    const reason = new Error('enough');
    const before = readFile(urlOf('file'), { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toBe(reason);
    const controller = new AbortController();
    const onBytes = () => controller.abort(reason);
    await expect(readFile(urlOf('file'), { signal: controller.signal, onBytes })).rejects.toBe(reason);
  });
});

it('a connection that breaks off is made again', async () => {
  const read = await fetchFile(new URL('breaks-once', `${origin}/`));
  expect(Buffer.compare(read, bytes)).toBe(0);
  expect(breaks).toBe(2);
});

describe('readFile', () => {
  it('reads an empty file', async () => {
    expect((await door.readFile(pathToFileURL(join(folder, 'empty.bin')), {})).length).toBe(0);
  });

  it('refuses a folder', async () => {
    await expect(door.readFile(pathToFileURL(folder), {})).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it.each([
    ['broken', 'broke off'],
    ['busy', '503'],
  ])('calls a %s answer a network error', async (path, message) => {
    const error = fetchFile(new URL(path, origin), {});
    await expect(error).rejects.toMatchObject({ code: 'network', message: expect.stringContaining(message) });
  });

  it('calls a server that is not there a network error', async () => {
    const error = fetchFile(new URL('http://127.0.0.1:1/x'), {});
    await expect(error).rejects.toMatchObject({ code: 'network', message: expect.stringContaining('127.0.0.1:1/x') });
  });
});

describe('openSource', () => {
  it('opens paths and file URLs, and tells missing files from folders', async () => {
    const path = join(folder, 'a model.bin');
    for (const location of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      expect(await (await sources.openSource(location)).getSize()).toBe(bytes.length);
    }
    await expect(sources.openSource(join(folder, 'none.mp4'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(sources.openSource(folder)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
