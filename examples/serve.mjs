/**
 * A small static server for the examples: `npm run example`, `npm run app`, or `node examples/serve.mjs [--page app] [--port 8080] [--isolated]`. Right MIME types,
 * byte ranges so that a <video> can seek, and with `--isolated` the two headers that give WASM its threads. Nothing is cached; not meant for the open internet.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.onnx': 'application/octet-stream',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.vtt': 'text/vtt; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
};

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serves the folder `root` on this machine alone. Port 0 takes a free one.
 * Resolves when it listens, with its address (`http://localhost:8080`, no slash at the end) and a function that stops it.
 */
export async function serve({ root, port = 0, isolated = false }) {
  const folder = await realpath(root);
  const server = createServer((request, response) => {
    answer(folder, request, response, isolated ? isolation : {}).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', resolve);
  });
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://localhost:${server.address().port}`, close };
}

async function answer(root, request, response, headers) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
  const { pathname, search } = new URL(request.url, 'http://localhost');
  let file = await find(root, pathname);
  if (file?.stats.isDirectory()) {
    // Without the slash, relative addresses in the page would start one folder too high.
    if (!pathname.endsWith('/')) {
      return void response.writeHead(301, { Location: `${pathname.replace(/^\/+/, '/')}/${search}` }).end();
    }
    file = await find(root, `${pathname}index.html`);
  }
  if (!file?.stats.isFile()) {
    return void response
      .writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8', ...headers })
      .end('Not found.\n');
  }
  const { size } = file.stats;
  const range = rangeOf(request.headers.range, size);
  // A service worker of an example may be in charge of the whole repository.
  const common = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-store',
    'Service-Worker-Allowed': '/',
    ...headers,
  };
  if (range === null) return void response.writeHead(416, { 'Content-Range': `bytes */${size}`, ...common }).end();
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range ? 206 : 200, {
    'Content-Type': types[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': end - start + 1,
    ...(range && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
    ...common,
  });
  if (request.method === 'HEAD' || size === 0) return void response.end();
  const stream = createReadStream(file.path, { start, end });
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** The file or folder that `pathname` names below `root`, links followed; null where there is none, or where it leads out. */
async function find(root, pathname) {
  try {
    const path = await realpath(join(root, decodeURIComponent(pathname)));
    if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
    return { path, stats: await stat(path) };
  } catch {
    return null;
  }
}

/** One `bytes=` range: undefined where none is asked for, null where it lies outside. */
function rangeOf(header, size) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (!first && !last) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  return start <= end ? { start, end } : null;
}

async function main() {
  const options = {
    page: { type: 'string', default: 'plain-page' },
    port: { type: 'string', default: '8080' },
    isolated: { type: 'boolean', default: false },
  };
  const { page, port, isolated } = parseArgs({ options }).values;
  const root = fileURLToPath(new URL('..', import.meta.url));
  try {
    const { url } = await serve({ root, port: Number(port), isolated });
    console.log(`Open ${url}/examples/${page}/   (Ctrl-C ends)`);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    console.error(`Port ${port} is taken. Name another one: node examples/serve.mjs --port 8081`);
    process.exitCode = 1;
  }
}

if (import.meta.main ?? process.argv[1] === fileURLToPath(import.meta.url)) await main();
