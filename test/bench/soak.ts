/**
 * `npm run soak [-- --runs N --concurrent N --swaps N --live-minutes N --only LIST]`: whether a Mettle holds out. In Node and in a page (WASM, Chromium): so many analyses one
 * after another, so many at once, adapters that come and go meanwhile, two instances, and so many minutes of a running source; memory stays flat, times do not drift, nothing is
 * left out, every answer is the first one. In a page also devices that are lost. Prints a table, keeps it in `results/soak.json` with the commit, and exits with 1 where an
 * answer differed or a moment was left out. Needs a build.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { adapters, liveInNode, liveInPage, summary } from './live-parts.ts';
import { residentOf } from './measure.ts';
import { withPage } from './renderer.ts';
import { openSoak, type SoakCalls } from './soak-calls.ts';
import { type Lost, loseDevices } from './soak-lost.ts';

const parts = ['node', 'page', 'live-node', 'live-page', 'lost'] as const;
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    concurrent: { type: 'string', default: '50' },
    swaps: { type: 'string', default: '20' },
    'live-minutes': { type: 'string', default: '10' },
    only: { type: 'string', default: parts.join(',') },
  },
});
const [runs, concurrent, swaps, seconds] = [
  Number(values.runs),
  Number(values.concurrent),
  Number(values.swaps),
  60 * Number(values['live-minutes']),
];
const only = values.only.split(',');
const spare = 'toybox-ms3';

type Counts = { runs: number; concurrent: number; swaps: number; twoInstances: number };
type Held = {
  /** Answers that differ from the first one. */
  different: Counts;
  /** Resident, after each tenth of the runs. */
  megabytes: number[];
  /** After all the rest. */
  megabytesAtEnd: number;
};

async function hold(calls: SoakCalls, resident: () => Promise<number>): Promise<Held> {
  const megabytes: number[] = [];
  const different: Counts = { runs: 0, concurrent: 0, swaps: 0, twoInstances: 0 };
  const step = Math.max(1, Math.floor(runs / 10));
  for (let done = 0; done < runs; done += step) {
    different.runs += await calls.runs(Math.min(step, runs - done));
    megabytes.push(await resident());
  }
  different.concurrent = await calls.concurrent(concurrent);
  different.swaps = await calls.swaps(swaps);
  different.twoInstances = await calls.twoInstances(swaps);
  const megabytesAtEnd = Math.round(await resident());
  await calls.dispose();
  return { different, megabytes: megabytes.map(Math.round), megabytesAtEnd };
}

async function inNode(): Promise<Held> {
  const { createMettle } = (await import(
    new URL('../../dist/node/index.js', import.meta.url).href
  )) as typeof import('../../sdk/index.ts');
  return await hold(await openSoak(createMettle, { adapters }, spare), () => residentOf(process.pid));
}

const inPage = (): Promise<Held> =>
  withPage(async (page, { resident }) => {
    await page.evaluate(
      async ({ source, names, other }) => {
        const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
        // A checkout is not laid out as node_modules is.
        const options = { adapters: names, device: 'wasm', runtimePath: '/node_modules/onnxruntime-web/dist/' };
        const open = new Function(`return (${source})`)() as typeof openSoak;
        Object.assign(globalThis, { soak: await open(createMettle, options as never, other) });
      },
      { source: openSoak.toString(), names: adapters, other: spare },
    );
    const call =
      (name: keyof SoakCalls) =>
      (count: number): Promise<number> =>
        page.evaluate(
          ({ name, count }) => (globalThis as unknown as { soak: SoakCalls }).soak[name](count) as Promise<number>,
          { name, count },
        );
    return await hold(
      {
        runs: call('runs'),
        concurrent: call('concurrent'),
        swaps: call('swaps'),
        twoInstances: call('twoInstances'),
        dispose: () => page.evaluate(() => (globalThis as unknown as { soak: SoakCalls }).soak.dispose()),
      },
      resident,
    );
  });

type Live = ReturnType<typeof summary>;
type Results = { node?: Held; page?: Held; liveNode?: Live; livePage?: Live; lost?: Lost };

/** Of the series after its first third, so that what is made once is not taken for a leak. */
const grown = (series: readonly number[]): string =>
  (series.at(-1)! / series[Math.floor(series.length / 3)]!).toFixed(3);

function show({ node, page, liveNode, livePage, lost }: Results): void {
  for (const [name, held] of Object.entries({ node, page })) {
    if (!held) continue;
    const { different, megabytes, megabytesAtEnd } = held;
    console.log(
      `${name.padEnd(5)} different answers: ${different.runs} of ${runs} runs, ${different.concurrent} of ${concurrent} at once, ${different.swaps} of ${3 * swaps} between adapters, ` +
        `${different.twoInstances} of ${2 * swaps + 1} of two instances; MB ${megabytes.join(' ')} (last / a third: ${grown(megabytes)}), at the end ${megabytesAtEnd}`,
    );
  }
  for (const [name, live] of Object.entries({ node: liveNode, page: livePage })) {
    if (!live) continue;
    console.log(
      `${name.padEnd(5)} live: ${live.moments} moments, ${live.dropped} left out; latency ${live.latencyMedian} ms, 95 %: ${live.latency95} ms; drift ${live.drift} ms; MB ${live.megabytes.map(Math.round).join(' ')}`,
    );
  }
  if (lost)
    console.log(
      `lost  while loading: goes on on ${lost.load}; in a run: ${lost.run}; live: ${lost.live}; different answers afterwards: ${lost.different}`,
    );
}

/** Null where the part was not asked for. */
const part = async <T>(name: (typeof parts)[number], work: () => Promise<T>): Promise<T | undefined> =>
  only.includes(name) ? await work() : undefined;

const results: Results = {
  node: await part('node', inNode),
  page: await part('page', inPage),
  liveNode: await part('live-node', async () => summary(await liveInNode(seconds))),
  livePage: await part('live-page', async () => summary(await liveInPage(seconds))),
  lost: await part('lost', loseDevices),
};
show(results);
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const machine = `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores`;
const kept = new URL('results/', import.meta.url);
await mkdir(kept, { recursive: true });
await writeFile(
  new URL('soak.json', kept),
  `${JSON.stringify({ commit, machine, node: process.versions.node, runs, concurrent, swaps, seconds, results }, null, 2)}\n`,
);
const faults = [results.node, results.page].flatMap((held) => (held ? Object.values(held.different) : []));
const dropped = [results.liveNode, results.livePage].map((live) => live?.dropped ?? 0);
if ([...faults, ...dropped, results.lost?.different ?? 0].some((count) => count > 0)) process.exitCode = 1;
