/**
 * `npm run bench:hub [-- --rounds N]`: what it takes to have the default set (nano and every adapter made for it) in memory and checked, in Node. From the package's
 * folder, from a server on loopback with an empty cache, and from the cache, each beside the same files read and hashed by themselves, in interleaved rounds. Prints
 * medians of wall and processor time, and the bytes that the server sent.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkFits } from '../../sdk/contract/fits.ts';
import { listShipped, type OpenOptions, openModel } from '../../sdk/hub/hub.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
const rounds = Number(values.rounds ?? 7);
const root = fileURLToPath(new URL('../../adapters/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'mettle-bench-hub-'));
let sent = 0;
const server = createServer(async (request, response) => {
  const bytes = await readFile(join(root, ...request.url!.split('/').filter((part) => part !== '..'))).catch(
    () => null,
  );
  sent += bytes?.byteLength ?? 0;
  response.writeHead(bytes ? 200 : 404).end(bytes);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

/** Ids, and where each model lies below `adapters/`. */
const shipped: { kind: 'backbone' | 'adapter'; path: string }[] = [];
const nano = await openModel('nano', 'backbone');
for (const { id, kind } of await listShipped()) {
  const model = await openModel(id, kind);
  const fits =
    model.manifest.kind === 'adapter'
      ? await checkFits(model.manifest, nano.manifest).then(
          () => true,
          () => false,
        )
      : id === 'nano';
  if (fits) shipped.push({ kind, path: fileURLToPath(model.url).slice(root.length).split(sep).join('/') });
}

async function load(base: string, options: OpenOptions): Promise<string[]> {
  const packages = await Promise.all(
    shipped.map(async ({ kind, path }) => {
      const model = await openModel(base + path, kind, options);
      const { files } = await model.download('wasm');
      return [path, ...Object.keys(files).map((name) => path.replace('manifest.json', name))];
    }),
  );
  return packages.flat();
}

const paths = await load(root, {});
const bytes = (await Promise.all(paths.map((path) => readFile(join(root, path))))).reduce(
  (sum, file) => sum + file.byteLength,
  0,
);

async function readAndHash(): Promise<void> {
  for (const path of paths)
    createHash('sha256')
      .update(await readFile(join(root, path)))
      .digest('base64');
}

const cache = join(folder, 'warm');
await load(address, { cache });
let cold = 0;
const ways = [
  { name: 'files read and hashed', run: readAndHash },
  { name: 'folder of the package', run: () => load(root, {}) },
  { name: 'cold, from loopback', run: () => load(address, { cache: join(folder, `cold-${cold++}`) }) },
  { name: 'warm, from the cache', run: () => load(address, { cache }) },
].map((way) => ({ ...way, wall: [] as number[], cpu: [] as number[], sent: 0 }));

for (let round = 0; round < rounds; round++) {
  for (const way of ways) {
    const [start, before, usage] = [performance.now(), sent, process.cpuUsage()];
    await way.run();
    const { user, system } = process.cpuUsage(usage);
    way.wall.push(performance.now() - start);
    way.cpu.push((user + system) / 1000);
    way.sent = sent - before;
  }
}
server.close();
server.closeAllConnections();
await rm(folder, { recursive: true });

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
const [base] = ways;
console.log(
  `Node ${process.version}, ${cpus()[0]?.model} x ${cpus().length}, load ${loadavg()[0]!.toFixed(1)}; median of ${rounds} rounds`,
);
console.log(`${shipped.length} models, ${paths.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
console.log(
  '| way | wall ms | processor ms | processor, of reading and hashing | bytes sent |\n| --- | ---: | ---: | ---: | ---: |',
);
for (const { name, wall, cpu, sent: bytesSent } of ways) {
  const ratio = (median(cpu) / median(base!.cpu)).toFixed(2);
  console.log(`| ${name} | ${median(wall).toFixed(0)} | ${median(cpu).toFixed(0)} | ${ratio} | ${bytesSent} |`);
}
