/** A server of files as any static host is one: the folder's files with their types, here with leave for pages of other origins. Links are followed. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

export type Served = { port: number; close(): Promise<void> };

/** Serves `root` on a free port. `place` says which file an address is, where it is not simply below the root. */
export async function serveFolder(root: string, place = (path: string): string => path): Promise<Served> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const path = join(root, normalize(place(decodeURIComponent(pathname)).replace(/\/$/, '/index.html')));
    const bytes = await readFile(path).catch(() => null);
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (bytes) response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
