/** Two peers that compute the same, here and beside: each opened in a process or browser of its own, then run by turns. */
import process from 'node:process';
import { byTurns, median, ratioOf } from '../measure.ts';
import { Partner } from '../partner.ts';
import { type Renderer, withPage } from '../renderer.ts';
import type { Figure } from '../results.ts';
import type { NodeAnswer } from './drive-node.ts';
import type { PagePeer } from './drive-page.ts';

export type Contestant = {
  /** The bundle: a path in Node; in a page its name in the folder that is served. */
  script: string;
  config: unknown;
};
export type Race = { here: Contestant; beside: Contestant; width: number; height: number; rounds: number };

export type Measured = {
  /** Milliseconds from the start of the process, or of the script's import, until it can be run; and of the first run. */
  openMs: number;
  firstMs: number;
  /** Milliseconds, round by round. */
  times: number[];
  peakMb: number;
  /** That came to the page. */
  bytes: number;
  /** What the first run gave. */
  numbers: number[];
};
export type Result = Record<'here' | 'beside', Measured>;

declare global {
  interface Window {
    peer: PagePeer;
  }
}

export async function raceInNode({ here, beside, width, height, rounds }: Race): Promise<Result> {
  const begin = async ({ script, config }: Contestant) => {
    const start = performance.now();
    const partner = new Partner(process.execPath, [script, JSON.stringify({ config, width, height })], script);
    await partner.ask<object>('open');
    const openMs = performance.now() - start;
    return { partner, openMs, first: await partner.ask<NodeAnswer>('run') };
  };
  const both = { here: await begin(here), beside: await begin(beside) };
  const peaks = { here: 0, beside: 0 };
  const job = (name: keyof Result) => async (): Promise<NodeAnswer> => {
    const answer = await both[name].partner.ask<NodeAnswer>('run');
    peaks[name] = answer.peakMb;
    return answer;
  };
  const own = async (run: () => Promise<unknown>): Promise<number> => ((await run()) as NodeAnswer).ms;
  const times = await byTurns({ here: job('here'), beside: job('beside') }, rounds, own);
  const result = (name: keyof Result): Measured => {
    const { openMs, first } = both[name];
    return {
      openMs,
      firstMs: first.ms,
      times: times[name],
      peakMb: peaks[name],
      bytes: 0,
      numbers: first.numbers,
    };
  };
  await Promise.all([both.here.partner.end(), both.beside.partner.end()]);
  return { here: result('here'), beside: result('beside') };
}

export async function raceInPages({ here, beside, width, height, rounds }: Race, folder: string): Promise<Result> {
  return await inPage(here, (one) =>
    inPage(beside, async (other) => {
      const job = (run: () => Promise<{ ms: number }>) => run;
      const own = async (run: () => Promise<unknown>): Promise<number> => ((await run()) as { ms: number }).ms;
      const times = await byTurns({ here: job(one.run), beside: job(other.run) }, rounds, own);
      return {
        here: { ...one.begun, times: times.here, peakMb: await one.renderer.peak() },
        beside: { ...other.begun, times: times.beside, peakMb: await other.renderer.peak() },
      };
    }),
  );

  type Opened = {
    begun: Omit<Measured, 'times' | 'peakMb'>;
    run: () => ReturnType<PagePeer['run']>;
    renderer: Renderer;
  };

  async function inPage<T>({ script, config }: Contestant, use: (opened: Opened) => Promise<T>): Promise<T> {
    return await withPage(async (page, renderer) => {
      const run: Opened['run'] = () => page.evaluate(() => window.peer.run());
      const openMs = await page.evaluate(
        async ([path, options, size]) => {
          const start = performance.now();
          await import(new URL(path, location.href).href);
          await window.peer.open(options, size);
          return performance.now() - start;
        },
        [`/${script}`, config, { width, height }] as const,
      );
      const first = await run();
      const begun = { openMs, firstMs: first.ms, numbers: first.numbers, bytes: renderer.sent() };
      return await use({ begun, run, renderer });
    }, folder);
  }
}

/** The largest difference between what both gave, as a share of the largest value. */
export function differenceOf({ here, beside }: Result): number {
  if (here.numbers.length !== beside.numbers.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...beside.numbers.map(Math.abs));
  return Math.max(...here.numbers.map((value, i) => Math.abs(value - beside.numbers[i]!))) / largest;
}

/** The lines of a race; `name` says who ran beside. */
export function raceFigures(where: string, name: string, { here, beside }: Result): Figure[] {
  const line = (what: string, unit: string, own: number, other: number): Figure => ({
    what: `${where}: ${what}`,
    unit,
    here: own,
    beside: { name, value: other },
    ratio: own / other,
  });
  return [
    line('load', 'ms', here.openMs, beside.openMs),
    line('first result after it', 'ms', here.firstMs, beside.firstMs),
    { ...line('steady', 'ms', median(here.times), median(beside.times)), ratio: ratioOf(here.times, beside.times) },
    line('most memory', 'MB', here.peakMb, beside.peakMb),
    ...(here.bytes > 0 ? [line('bytes to the page', 'MB', here.bytes / 1e6, beside.bytes / 1e6)] : []),
  ];
}
