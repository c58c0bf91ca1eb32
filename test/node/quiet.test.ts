/** What is wrong with a film, an address or a model is told in errors and warnings, and nowhere else: a process prints nothing that it did not print itself. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const path = (of: string): string => new URL(`../../${of}`, import.meta.url).pathname;

/** Analyses every argument and prints one line of JSON for each. */
const program = `
import { createMettle } from ${JSON.stringify(path('sdk/index.ts'))};
const [worker, ...sources] = JSON.parse(process.env.TEST_JOB);
const mettle = await createMettle({ device: 'cpu', adapters: ['toybox-ave'], worker: worker ? undefined : false });
for (const source of sources) {
  const told = await mettle.analyze(source).then(({ warnings }) => warnings.map(({ code }) => code), ({ code }) => code);
  console.log(JSON.stringify(told));
}
const broken = await createMettle({ device: 'cpu', backbone: process.env.TEST_MODEL, adapters: [] }).catch(({ code }) => code);
console.log(JSON.stringify(broken));
await mettle.dispose();
`;

let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-quiet-'));
  const film = await readFile(path('test/fixtures/tiny.webm'));
  server = createServer(({ url }, response) => {
    if (url !== '/broken.webm') return response.writeHead(404).end();
    response.writeHead(200, { 'content-length': film.length });
    return response.write(film.subarray(0, 2000), () => response.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, ready));
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** The film with bytes overwritten from a share of its length on. */
async function damaged(name: string, from: number): Promise<string> {
  const bytes = await readFile(path(`test/fixtures/${name}`));
  for (let at = Math.floor(bytes.length * from); at < bytes.length; at += 97) bytes[at]! ^= 0x5a;
  const file = join(folder, `${from}-${name}`);
  await writeFile(file, bytes);
  return file;
}

/** The shipped backbone with a graph that is none, under digests that fit. */
async function brokenModel(): Promise<string> {
  const { finishManifest, manifestText } = await import('../../sdk/compile/package.ts');
  const source = path('adapters/backbones/nano/');
  const { files, ...draft } = JSON.parse(await readFile(`${source}manifest.json`, 'utf8'));
  const copies: Record<string, Uint8Array> = {};
  for (const { path: name } of files as { path: string }[]) {
    const bytes = await readFile(source + name);
    copies[name] = name.endsWith('.onnx') ? bytes.subarray(0, bytes.length >> 1) : bytes;
    await writeFile(join(folder, name), copies[name]);
  }
  const manifest = await finishManifest(draft, copies);
  await writeFile(join(folder, 'manifest.json'), manifestText(manifest));
  return folder;
}

test.each([
  ['workers', true],
  ['its own thread', false],
])('in %s', async (_, worker) => {
  const films = [
    await damaged('tiny.webm', 0.3),
    await damaged('tiny.mp4', 0.3),
    await damaged('tiny.webm', 0.001),
    path('package.json'),
    join(folder, 'nothing.mp4'),
    `http://localhost:${(server.address() as AddressInfo).port}/film.webm`,
    'http://localhost:9/film.webm',
    `http://localhost:${(server.address() as AddressInfo).port}/broken.webm`,
  ];
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    env: { ...process.env, TEST_JOB: JSON.stringify([worker, ...films]), TEST_MODEL: `${await brokenModel()}/` },
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (text) => (printed.out += text));
  child.stderr.on('data', (text) => (printed.err += text));
  await new Promise((done) => child.on('close', done));
  expect(printed.err).toBe('');
  const told = printed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told.slice(0, 2).flat().length).toBeGreaterThan(0);
  expect(told.slice(3)).toEqual(['not-media', 'not-found', 'not-found', 'network', 'network', 'invalid-file']);
});
