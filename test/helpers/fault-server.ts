/**
 * A server on loopback that serves one small model with a fault of its weights: `/FAULT/RUN/file`. Every RUN counts for itself what was asked and sent, at `/log/RUN`, and
 * is cured by `/heal/RUN`; pages of any origin may ask.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { finishManifest, manifestText, withChunks } from '../../sdk/compile/package.ts';
import { adapterDraft, adapterFiles } from '../unit/hub-fixtures.ts';
import { chunkBytes, type FaultLog, madeWeights, weightsBytes, weightsPath } from './fault-file.ts';

type Run = FaultLog & { healed: boolean; weightsAsked: number };
type Ask = {
  request: IncomingMessage;
  response: ServerResponse;
  run: Run;
  file: Uint8Array;
  start: number;
  end: number;
  ranged: boolean;
};
type Fault = (ask: Ask) => void | Promise<void>;

const half = weightsBytes / 2;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends bytes `start` to `end` of `file` in parts, up to `until`; then the connection breaks. */
async function send(
  { response, run, file, start, end }: Ask,
  { until = end, pause = 0, part = 8192 } = {},
): Promise<void> {
  for (let at = start; at < Math.min(end, until) && !response.destroyed; at += part) {
    const bytes = file.subarray(at, Math.min(at + part, end, until));
    run.sent += bytes.byteLength;
    run.asked.at(-1)!.sent += bytes.byteLength;
    await new Promise<void>((resolve) => response.write(bytes, () => resolve()));
    if (pause) await sleep(pause);
  }
  if (until >= end) return void response.end();
  // What was written is to arrive first.
  await sleep(40);
  response.destroy();
}

function head({ response, file, start, end, ranged }: Ask, headers: Record<string, string | number> = {}): void {
  const range = ranged ? { 'Content-Range': `bytes ${start}-${end - 1}/${file.byteLength}` } : {};
  const length = headers['Content-Encoding'] ? {} : { 'Content-Length': end - start };
  response.writeHead(ranged ? 206 : 200, { ...length, ETag: '"one"', 'Accept-Ranges': 'bytes', ...range, ...headers });
}

const whole = (ask: Ask, file = ask.file): Ask => ({ ...ask, file, start: 0, end: file.byteLength, ranged: false });
const sound: Fault = async (ask) => {
  head(ask);
  await send(ask);
};
const instead =
  (change: (file: Uint8Array) => Uint8Array): Fault =>
  async (ask) => {
    const file = change(ask.file.slice());
    if (ask.start >= file.byteLength) return void ask.response.writeHead(416).end();
    await sound({ ...ask, file, end: ask.ranged ? Math.min(ask.end, file.byteLength) : file.byteLength });
  };
const status =
  (code: number, headers: Record<string, string | number> = {}): Fault =>
  ({ response }) =>
    void response.writeHead(code, headers).end('No.');
const onlyFirst =
  (fault: Fault): Fault =>
  (ask) =>
    ask.run.weightsAsked === 1 ? fault(ask) : sound(ask);
const cutAt =
  (until: number): Fault =>
  async (ask) => {
    head(ask);
    await send(ask, { until: Math.max(until, ask.start) });
  };

export const faults = {
  none: sound,
  truncated: cutAt(half),
  short: instead((file) => file.subarray(0, half)),
  'bit-flipped': instead((file) => {
    file[100_000]! ^= 1;
    return file;
  }),
  'zero-tail': instead((file) => file.fill(0, half)),
  html: ({ response }) =>
    void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Sign in</title>'),
  longer: instead((file) => new Uint8Array([...file, ...new Uint8Array(500)])),
  'far-longer': instead((file) => new Uint8Array([...file, ...new Uint8Array(100_000)])),
  drip: async (ask) => {
    head(ask);
    await send(ask, { part: 16_000, pause: 15 });
  },
  silence: () => {},
  'silence-midway': (ask) => {
    head(ask);
    ask.response.flushHeaders();
    if (ask.start < half) {
      ask.response.write(ask.file.subarray(ask.start, half));
      ask.run.sent += half - ask.start;
    }
  },
  resets: async (ask) => {
    head(ask);
    await send(ask, { until: ask.start + weightsBytes / 10, part: 4000 });
  },
  '500-once': onlyFirst(status(500)),
  '500': status(500),
  '429-once': onlyFirst(status(429, { 'Retry-After': 1 })),
  '503-once': onlyFirst(status(503, { 'Retry-After': 1 })),
  '503-for-an-hour': status(503, { 'Retry-After': 3600 }),
  '503-other-clock': onlyFirst(
    status(503, { Date: 'Tue, 01 Jan 2030 00:00:00 GMT', 'Retry-After': 'Tue, 01 Jan 2030 00:00:01 GMT' }),
  ),
  '403': status(403),
  '404': status(404),
  'redirect-loop': ({ request, response }) => void response.writeHead(302, { Location: request.url! }).end(),
  'redirect-to-ftp': status(302, { Location: 'ftp://127.0.0.1/weights' }),
  redirect: (ask) => {
    if (ask.request.url!.endsWith('?again')) return sound(ask);
    ask.response.writeHead(302, { Location: `${ask.request.url}?again` }).end();
  },
  'no-range': async (ask) => {
    const all = whole(ask);
    head(all, { 'Accept-Ranges': 'none' });
    await send(all, { until: ask.run.weightsAsked === 1 ? half : weightsBytes });
  },
  'other-version': async (ask) => {
    if (ask.run.weightsAsked === 1) return await cutAt(half)(ask);
    const other = madeWeights(2);
    const resumes = !ask.request.headers['if-range'];
    const answer = resumes ? { ...ask, file: other } : whole(ask, other);
    head(answer, { ETag: '"two"' });
    await send(answer);
  },
  gzip: async (ask) => {
    const file = gzipSync(ask.file);
    head(whole(ask), { 'Content-Encoding': 'gzip' });
    await send(whole(ask, file));
  },
  'no-cors': sound,
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export type FaultServer = { url: string; close(): Promise<void> };

export async function faultServer(): Promise<FaultServer> {
  const weights = madeWeights();
  const files: Record<string, Uint8Array> = { ...adapterFiles, [weightsPath]: weights };
  const plain = await finishManifest(await adapterDraft(), files);
  const manifest = await withChunks(plain, files, chunkBytes);
  const texts = { 'manifest.json': manifest, 'plain/manifest.json': plain };
  for (const [path, text] of Object.entries(texts)) files[path] = new TextEncoder().encode(manifestText(text));
  const runs = new Map<string, Run>();

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const [, fault, name = '', ...rest] = pathname.split('/') as ['', string, string];
    const run = runs.get(name) ?? { asked: [], sent: 0, healed: false, weightsAsked: 0 };
    runs.set(name, run);
    if (fault !== 'no-cors' || run.healed) response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Range, Retry-After');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (fault === 'log') return void response.end(JSON.stringify({ asked: run.asked, sent: run.sent }));
    if (fault === 'heal') {
      Object.assign(run, { healed: true, asked: [], sent: 0 });
      return void response.end();
    }
    if (request.method !== 'GET') return void response.writeHead(request.method === 'HEAD' ? 200 : 403).end();
    const path = rest.join('/');
    const file = files[path] ?? files[path.replace(/^plain\//, '')];
    run.asked.push({ path, range: request.headers.range ?? null, sent: 0 });
    if (!file) return void response.writeHead(404).end();
    if (!path.endsWith(weightsPath)) return void response.end(file);
    run.weightsAsked++;
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const ranged = first !== undefined;
    const span = ranged ? { start: Number(first), end: Number(last) + 1 } : { start: 0, end: file.byteLength };
    const answer = run.healed ? sound : faults[fault as FaultName];
    Promise.resolve(answer({ request, response, run, file, ranged, ...span })).catch(() => response.destroy());
  });
  // A client must not find a connection closed that it was about to use again.
  server.unref();
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
