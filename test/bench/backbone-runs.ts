/** Runs of a seeded network in Node, on a CPU, on WASM or on a GPU, in processes of their own: `tsx backbone-runs.ts JSON`, which prints JSON. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { InferenceSession } from 'onnxruntime-common';
import { runtimes } from '#runtimes';
import { errorOf } from '../../sdk/compile/form-runs.ts';
import type { Ort, Runtime } from '../../sdk/contract/runtime.ts';
import { ReadBack } from '../../sdk/engine/read-back.ts';
import { disposeTensors, GraphSession, type Tensors, tellsShortage } from '../../sdk/engine/session.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import { median } from './measure.ts';
import type { SeededGraph } from './seeded-graphs.ts';

export type BenchDevice = 'cpu' | 'wasm' | 'webgpu';

export type RunRequest = {
  graphs: SeededGraph[];
  device: BenchDevice;
  threads: number;
  rounds: number;
  /** Also let the runtime alone run each session, in the same rounds. */
  plain: boolean;
};

export type RunResult = {
  /** Per graph: median milliseconds of a second of media by the engine's session, and medians over rounds of their ratio to the first graph and to the runtime alone. */
  times: { ms: number; ofFirst: number; ofPlain: number | null; loadSeconds: number }[];
  /** Largest memory that the process ever held. */
  peakMb: number;
};

/** Null where the device cannot run the graphs: its memory does not hold them together, or it has no half precision. */
export function runApart(request: RunRequest): RunResult | null {
  return apart(request) as RunResult | null;
}

/** The tap of `graph` that is farthest from that of `reference`, on one input on the CPU. */
export const compareApart = (reference: SeededGraph, graph: SeededGraph): { cosine: number; tap: string } =>
  apart([reference, graph]) as { cosine: number; tap: string };

/** Exit status of a process whose device could not run the graphs. */
const unable = 3;

function apart(request: RunRequest | [SeededGraph, SeededGraph]): unknown {
  const script = fileURLToPath(import.meta.url);
  const command = [...process.execArgv, script, JSON.stringify(request)];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status === unable) return null;
  if (status !== 0) throw new Error(`run of ${JSON.stringify(request)} failed: ${stderr}`);
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{'))!);
}

/**
 * The median over the rounds in which `one` came before `other` and that over those in which it came after, in the geometric mean: whoever comes first finds the
 * caches as another graph left them, and that goes both ways. With a single round there is but one order.
 */
function ratio(one: Contestant, other: Contestant): number {
  const ratios = one.times.map((ms, round) => ms / other.times[round]!);
  const [before, after] = [0, 1].map((parity) => ratios.filter((_, round) => round % 2 === parity)) as [
    number[],
    number[],
  ];
  return after.length === 0 ? median(before) : Math.sqrt(median(before) * median(after));
}

type Contestant = { run: () => Promise<unknown>; times: number[] };

async function perform({ graphs, device, threads, rounds, plain }: RunRequest): Promise<RunResult> {
  const runtime = await runtimes.loadRuntime({ device, threads });
  const loadSeconds: number[] = [];
  const engine: Contestant[] = [];
  const bare: Contestant[] = [];
  for (const graph of graphs) {
    const begin = performance.now();
    const { byEngine, byRuntime } = await open(runtime, graph);
    loadSeconds.push((performance.now() - begin) / 1000);
    engine.push({ run: byEngine, times: [] });
    if (plain) bare.push({ run: byRuntime, times: [] });
  }
  for (const { run } of [...engine, ...bare]) await run();
  for (let round = 0; round < rounds; round++) {
    // A pair one right after the other, and each of it as often first as the other: what ran before leaves the caches warm or cold.
    const order = engine.flatMap((contestant, i) => {
      const pair = plain ? [contestant, bare[i]!] : [contestant];
      return round % 2 === 0 ? pair : pair.reverse();
    });
    for (const { run, times } of order) {
      const begin = performance.now();
      await run();
      times.push(performance.now() - begin);
    }
  }
  return {
    times: graphs.map((_, i) => ({
      ms: median(engine[i]!.times),
      ofFirst: ratio(engine[i]!, engine[0]!),
      ofPlain: plain ? ratio(engine[i]!, bare[i]!) : null,
      loadSeconds: loadSeconds[i]!,
    })),
    peakMb: process.resourceUsage().maxRSS / 1024,
  };
}

async function compare(reference: SeededGraph, graph: SeededGraph): Promise<{ cosine: number; tap: string }> {
  const runtime = await runtimes.loadRuntime({ device: 'cpu' });
  const run = async (of: SeededGraph): Promise<Tensors> => await (await open(runtime, of)).byEngine();
  const [expected, actual] = [await run(reference), await run(graph)];
  const cosines = graph.taps.map((tap) => {
    const numbers = (of: Tensors): Float32Array => of[tap]!.data as Float32Array;
    return { tap, cosine: errorOf([numbers(actual)], [numbers(expected)]).cosine };
  });
  return cosines.reduce((worst, next) => (next.cosine < worst.cosine ? next : worst));
}

const read = (graph: SeededGraph, path: string): Uint8Array => new Uint8Array(readFileSync(`${graph.folder}/${path}`));

function feedOf(runtime: Runtime, { input }: SeededGraph): Tensors {
  const random = seededRandom('bench');
  const length = input.shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, () => gaussian(random));
  return { [input.name]: new runtime.ort.Tensor('float32', data, input.shape) };
}

type Opened = Record<'byEngine' | 'byRuntime', () => Promise<Tensors>>;

/**
 * One session, run by the engine, and by the runtime alone without the engine's knowledge. Two sessions of one graph would not do: where they happen to lie in
 * memory makes them differ by some hundredths, which is more than a call costs.
 */
async function open(runtime: Runtime, graph: SeededGraph): Promise<Opened> {
  let own: InferenceSession | null = null;
  const { InferenceSession: factory } = runtime.ort;
  const create = async (...given: unknown[]): Promise<InferenceSession> => {
    own = await (factory.create as (...given: unknown[]) => Promise<InferenceSession>)(...given);
    return own;
  };
  const ort = { ...runtime.ort, InferenceSession: { create } } as Ort;
  const onGpu = runtime.device === 'webgpu';
  const session = await GraphSession.open(
    { ...runtime, ort },
    {
      label: graph.graph,
      graph: read(graph, graph.graph),
      weights: { path: graph.weights, data: read(graph, graph.weights) },
    },
    { inputs: [graph.input.name], outputs: graph.taps, onGpu },
  );
  const feeds = feedOf(runtime, graph);
  const finish = onGpu ? await waiter(runtime, graph) : async () => {};
  const all = (run: () => Promise<Tensors>) => async (): Promise<Tensors> => {
    const taps = await run();
    await finish(taps);
    return taps;
  };
  return {
    byEngine: all(() => session.run(feeds, graph.taps)),
    byRuntime: all(async () => (await own!.run(feeds)) as Tensors),
  };
}

/** A run on a GPU is over when its last tap can be read: that one comes to the CPU, and all of them are freed. */
async function waiter(runtime: Runtime, graph: SeededGraph): Promise<(taps: Tensors) => Promise<void>> {
  const last = graph.taps.at(-1)!;
  const back = await ReadBack.open(runtime, { [last]: graph.shapes.at(-1)! });
  return async (taps) => {
    await back.read({ [last]: taps[last]! });
    disposeTensors(taps);
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const request = JSON.parse(process.argv[2]!) as RunRequest | [SeededGraph, SeededGraph];
  try {
    console.log(JSON.stringify(Array.isArray(request) ? await compare(...request) : await perform(request)));
  } catch (error) {
    if (!tellsShortage(String(error)) && !String(error).includes('requires f16')) throw error;
    process.exit(unable);
  }
  process.exit(0);
}
