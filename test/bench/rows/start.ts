/**
 * Cold and warm starts: what it takes to have models in memory and checked, beside the same files read and hashed by themselves; and from nothing to the first answer, in a
 * fresh process of Node and in a page, with and without models that were kept from an earlier visit.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFits } from '../../../sdk/contract/fits.ts';
import { listShipped, type OpenOptions, openModel } from '../../../sdk/hub/hub.ts';
import { type Apart, answer, apart, builtSdk, byTurns, computed, median, ratioOf } from '../measure.ts';
import { rawClip } from '../raw-clip.ts';
import { withPage } from '../renderer.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const root = fileURLToPath(new URL('../../../adapters/', import.meta.url));
const adapter = 'adapters/toybox-ave/';
const backbone = 'backbones/nano/';

/** How a fresh process is to begin: from the package's folder, or from an address, with models kept in a folder. */
type Request = { address: string | null; cache?: string };

async function firstAnswer({ address, cache }: Request): Promise<null> {
  const { createMettle } = await builtSdk();
  const named = address
    ? { backbone: address + backbone, adapters: [address + adapter] }
    : { adapters: ['toybox-ave'] };
  await using mettle = await createMettle({ ...named, cache });
  await mettle.localize(rawClip(1));
  return null;
}

await answer(import.meta.url, firstAnswer);

/** Serves the shipped models on loopback. */
async function serveModels(): Promise<{ address: string; server: Server }> {
  const server = createServer(async (request, response) => {
    const parts = request.url!.split('/').filter((part) => part !== '..');
    const bytes = await readFile(join(root, ...parts)).catch(() => null);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { address, server };
}

type Shipped = { kind: 'backbone' | 'adapter'; path: string };

/** Nano and every adapter that was made for it, each with its manifest's path below `adapters/`. */
async function defaultSet(): Promise<Shipped[]> {
  const nano = await openModel('nano', 'backbone');
  const set: Shipped[] = [];
  for (const { id, kind } of await listShipped()) {
    const { manifest, url } = await openModel(id, kind);
    const fits =
      manifest.kind === 'adapter'
        ? await checkFits(manifest, nano.manifest).then(
            () => true,
            () => false,
          )
        : id === 'nano';
    if (fits) set.push({ kind, path: fileURLToPath(url).slice(root.length).split(sep).join('/') });
  }
  return set;
}

/** Has all of them in memory, and gives the paths of their files. */
async function load(set: readonly Shipped[], base: string, options: OpenOptions): Promise<string[]> {
  const packages = await Promise.all(
    set.map(async ({ kind, path }) => {
      const model = await openModel(base + path, kind, options);
      const { files } = await model.download('wasm');
      return [path, ...Object.keys(files).map((name) => path.replace('manifest.json', name))];
    }),
  );
  return packages.flat();
}

async function hubFigures(address: string, folder: string, rounds: number): Promise<Figure[]> {
  const set = await defaultSet();
  const paths = await load(set, root, {});
  const cache = join(folder, 'hub-warm');
  await load(set, address, { cache });
  let cold = 0;
  const ways = {
    bare: async () => {
      for (const path of paths) {
        const bytes = await readFile(join(root, path));
        createHash('sha256').update(bytes).digest('base64');
      }
    },
    folder: () => load(set, root, {}),
    cold: () => load(set, address, { cache: join(folder, `hub-cold-${cold++}`) }),
    warm: () => load(set, address, { cache }),
  };
  const times = await byTurns(ways, rounds, computed);
  const figure = (name: 'folder' | 'cold' | 'warm', what: string): Figure => ({
    what: `${set.length} models in memory and checked, ${what}, processor time`,
    unit: 'ms',
    here: median(times[name]),
    beside: { name: 'to read and hash their files', value: median(times.bare) },
    ratio: ratioOf(times[name], times.bare),
  });
  return [
    figure('folder', "from the package's folder"),
    figure('cold', 'from loopback'),
    figure('warm', 'from the cache'),
  ];
}

async function nodeFigures(address: string, folder: string, rounds: number): Promise<Figure[]> {
  const cache = join(folder, 'node-warm');
  const begin = (request: Request): Promise<Apart<null>> => apart(import.meta.url, request);
  await begin({ address, cache });
  let cold = 0;
  const times = await byTurns(
    {
      folder: () => begin({ address: null }),
      cold: () => begin({ address, cache: join(folder, `node-cold-${cold++}`) }),
      warm: () => begin({ address, cache }),
    },
    rounds,
  );
  return (['folder', 'warm'] as const).map((name) => ({
    what: `Node: process to first answer, models ${name === 'folder' ? "from the package's folder" : 'kept'}`,
    unit: 'ms',
    here: median(times[name]),
    beside: { name: 'with an empty cache', value: median(times.cold) },
    ratio: ratioOf(times[name], times.cold),
  }));
}

type Visit = { loadMs: number; firstMs: number };

/** Two visits of one browser: the second finds the models that the first kept. */
const twoVisits = (): Promise<{ visits: Visit[]; sent: number[] }> =>
  withPage(async (page, { sent }) => {
    const visits: Visit[] = [];
    const counts: number[] = [];
    for (let visit = 0; visit < 2; visit++) {
      await page.reload();
      const before = sent();
      const measured = await page.evaluate(async (make) => {
        const start = performance.now();
        const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
        const mettle = await createMettle({
          adapters: ['toybox-ave'],
          device: 'wasm',
          // A checkout is not laid out as node_modules is.
          runtimePath: '/node_modules/onnxruntime-web/dist/',
        });
        const loaded = performance.now();
        await mettle.localize(new Function(`return (${make})(1)`)());
        return { loadMs: loaded - start, firstMs: performance.now() - start };
      }, rawClip.toString());
      visits.push(measured);
      counts.push(sent() - before);
    }
    return { visits, sent: counts };
  });

async function pageFigures(rounds: number): Promise<Figure[]> {
  const [cold, warm]: [number[], number[]] = [[], []];
  let bytes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { visits, sent } = await twoVisits();
    cold.push(visits[0]!.firstMs);
    warm.push(visits[1]!.firstMs);
    bytes = sent;
  }
  const [first, second] = bytes as [number, number];
  return [
    {
      what: 'page: address to first answer, second visit',
      unit: 'ms',
      here: median(warm),
      beside: { name: 'on the first', value: median(cold) },
      ratio: ratioOf(warm, cold),
    },
    {
      what: 'page: bytes from the server, second visit',
      unit: 'MB',
      here: second / 1e6,
      beside: { name: 'on the first', value: first / 1e6 },
      ratio: second / first,
    },
  ];
}

export const start: Row = {
  id: 'start',
  title: 'Start',
  how:
    'Models in memory: nano and all adapters made for it, by turns with reading and hashing their files alone. First answer: one adapter and a raw second, from the start of ' +
    'the process; in Chromium on WASM from the import of the script, with a server that lets the browser keep nothing by itself.',
  async run({ quick, folder }) {
    const rounds = quick ? 2 : 7;
    const { address, server } = await serveModels();
    try {
      const figures = [
        ...(await hubFigures(address, folder, rounds)),
        ...(await nodeFigures(address, folder, rounds)),
        ...(await pageFigures(quick ? 1 : 5)),
      ];
      return { figures, missing: [] };
    } finally {
      server.close();
      server.closeAllConnections();
    }
  },
};
