/** The page's side of `full-size-browser.ts`: fetches a graph and its weights, loads them on a device and runs a second of media. */
import { runtimes } from '#runtimes';
import { GraphSession } from '../../sdk/engine/session.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import type { SeededGraph } from './seeded-graphs.ts';

export type PageRun = {
  /** `wasm`, or what the GPU is called. */
  device: string;
  threads: number;
  fetchSeconds: number;
  loadSeconds: number;
  seconds: number[];
  finite: boolean;
};

declare global {
  interface Window {
    runFullSize(graph: SeededGraph, device: 'wasm' | 'webgpu', rounds: number): Promise<PageRun>;
  }
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(`/@fs${path}`);
  const bytes = new Uint8Array(Number(response.headers.get('Content-Length')));
  let [at, told] = [0, 0];
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes.set(value, at);
    at += value.byteLength;
    if (at - told < bytes.byteLength / 4) continue;
    told = at;
    console.log(`${path.replace(/.*\//, '')}: ${(at / 1e6).toFixed(0)} of ${(bytes.byteLength / 1e6).toFixed(0)} MB`);
  }
}

window.runFullSize = async (graph, device, rounds) => {
  const begin = performance.now();
  const [bytes, data] = [
    await fetchBytes(`${graph.folder}/${graph.graph}`),
    await fetchBytes(`${graph.folder}/${graph.weights}`),
  ];
  const fetched = performance.now();
  const runtime = await runtimes.loadRuntime({ device, runtimePath: '/node_modules/onnxruntime-web/dist/' });
  const source = { label: graph.preset, graph: bytes, weights: { path: graph.weights, data } };
  const session = await GraphSession.open(runtime, source, { inputs: [graph.input.name], outputs: graph.taps });
  const loaded = performance.now();
  const random = seededRandom('bench');
  const { name, shape } = graph.input;
  const length = shape.reduce((product, size) => product * size, 1);
  const input = new runtime.ort.Tensor(
    'float32',
    Float32Array.from({ length }, () => gaussian(random)),
    shape,
  );
  const seconds: number[] = [];
  let finite = true;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const taps = await session.run({ [name]: input }, graph.taps);
    seconds.push((performance.now() - start) / 1000);
    for (const tap of Object.values(taps)) finite &&= (tap.data as Float32Array).every(Number.isFinite);
  }
  await session.release();
  const gpu = runtime.gpu && `${runtime.gpu.vendor} ${runtime.gpu.architecture}`;
  return {
    device: gpu ?? device,
    threads: runtime.threads,
    fetchSeconds: (fetched - begin) / 1000,
    loadSeconds: (loaded - fetched) / 1000,
    seconds,
    finite,
  };
};
