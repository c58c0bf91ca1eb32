/**
 * A static server for trying things: a folder with models, a page, or both. Answers what the hub asks (ranges, tags, from any origin) and gives pages the isolation that
 * threads of WASM need. Reads only; not meant for the open internet.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, sep } from 'node:path';
import { MettleError } from '../../errors.ts';

export type ServeOptions = {
  /** 0 takes a free one. */
  port: number;
  /** Of the network interface. */
  address: string;
  /** Whether pages are isolated from those of other origins, as shared memory asks. */
  isolated: boolean;
};

export type Serving = { url: string; close(): Promise<void> };

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.vtt': 'text/vtt; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webm': 'video/webm',
};

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const forAll = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag',
  // Isolated pages of other origins may read it.
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** Resolves when it listens. Throws `not-found` where `folder` is none, `invalid-argument` where the port or the address cannot be had. */
export async function serveFolder(folder: string, { port, address, isolated }: ServeOptions): Promise<Serving> {
  const root = await folderAt(folder);
  const headers = { ...forAll, ...(isolated && isolation) };
  const server = createServer((request, response) => {
    answer(root, request, response, headers).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, headers).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  }).catch((cause: NodeJS.ErrnoException) => {
    const taken = cause.code === 'EADDRINUSE';
    throw new MettleError('invalid-argument', taken ? `Port ${port} is taken.` : `${address}: ${cause.message}`, {
      hint: taken ? 'Name another one, or 0 for any that is free: --port 0.' : 'Name an address of this machine.',
      cause,
    });
  });
  const at = server.address() as AddressInfo;
  const host = at.family === 'IPv6' ? `[${at.address}]` : at.address;
  return {
    url: `http://${host}:${at.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function folderAt(path: string): Promise<string> {
  const root = await realpath(path).catch(() => null);
  if (root !== null && (await stat(root)).isDirectory()) return root;
  throw new MettleError('not-found', `${path} is no folder.`, { hint: 'Name the folder that is to be served.' });
}

async function answer(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const end = (status: number, more: OutgoingHttpHeaders = {}, text?: string): void => {
    const type = text === undefined ? {} : { 'Content-Type': 'text/plain; charset=utf-8' };
    response.writeHead(status, { ...headers, ...type, ...more }).end(request.method === 'HEAD' ? undefined : text);
  };
  const { method = '', headers: asked } = request;
  if (method === 'OPTIONS') {
    return end(204, {
      'Access-Control-Allow-Methods': 'GET, HEAD',
      'Access-Control-Allow-Headers': 'Range, If-Range, If-None-Match',
      'Access-Control-Max-Age': '600',
    });
  }
  if (method !== 'GET' && method !== 'HEAD') return end(405, { Allow: 'GET, HEAD, OPTIONS' }, 'Read only.\n');
  const { pathname, search } = new URL(`http://localhost${request.url?.startsWith('/') ? request.url : '/'}`);
  let file = await find(root, pathname);
  if (file?.isFolder) {
    // Without the slash, relative addresses in the page would start one folder too high.
    if (!pathname.endsWith('/')) return end(301, { Location: `${pathname.replace(/^\/+/, '/')}/${search}` });
    file = await find(root, `${pathname}index.html`);
  }
  if (!file || file.isFolder) return end(404, {}, 'Not found.\n');
  const { path, extension, size, tag } = file;
  const common = { 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-cache', ETag: tag };
  if (asked['if-none-match'] === tag) return end(304, common);
  const sameVersion = asked['if-range'] === undefined || asked['if-range'] === tag;
  const range = sameVersion ? rangeOf(asked.range, size) : undefined;
  if (range === null) return end(416, { ...common, 'Content-Range': `bytes */${size}` });
  const { first, last } = range ?? { first: 0, last: size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    ...common,
    'Content-Type': types[extension] ?? 'application/octet-stream',
    'Content-Length': last - first + 1,
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${size}` }),
  });
  if (method === 'HEAD' || size === 0) return void response.end();
  const stream = createReadStream(path, { start: first, end: last });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** `extension` is that of the name that was asked for, whatever a link leads to. */
type Found = { path: string; extension: string; size: number; tag: string; isFolder: boolean };

/** The file or folder that `pathname` names below `root`, links followed; null where there is none, where it leads out, or where a name begins with a dot. */
async function find(root: string, pathname: string): Promise<Found | null> {
  try {
    const names = decodeURIComponent(pathname).split(/[\\/]/).filter(Boolean);
    if (names.some((name) => name.startsWith('.'))) return null;
    const path = await realpath(join(root, ...names));
    const inside = path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
    const found = await stat(path, { bigint: true });
    if (!inside || !(found.isFile() || found.isDirectory())) return null;
    const tag = `"${found.size.toString(36)}-${found.mtimeNs.toString(36)}-${found.ino.toString(36)}"`;
    const extension = extname(names.at(-1) ?? '').toLowerCase();
    return { path, extension, size: Number(found.size), tag, isFolder: found.isDirectory() };
  } catch {
    return null;
  }
}

/** One `bytes=` range, both ends included: undefined where none is asked for, or several, null where it lies outside. */
function rangeOf(header: string | undefined, size: number): { first: number; last: number } | null | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (!from && !to) return undefined;
  const first = from ? Number(from) : Math.max(0, size - Number(to));
  const last = from && to ? Math.min(Number(to), size - 1) : size - 1;
  return first <= last ? { first, last } : null;
}
