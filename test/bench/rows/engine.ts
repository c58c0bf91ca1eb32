/** What our engine adds to the runtime: the shipped networks, run by both in the same session. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wholeBackbone } from '../../../sdk/contract/pair.ts';
import { runApart } from '../backbone-runs.ts';
import type { Figure } from '../results.ts';
import type { SeededGraph } from '../seeded-graphs.ts';
import type { Row } from './row.ts';

const folder = fileURLToPath(new URL('../../../adapters/backbones/nano/', import.meta.url));

/** The two networks of nano as they ship. */
function shippedGraphs(): SeededGraph[] {
  const { inputs, taps, variants } = wholeBackbone(JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8')));
  const { visual, audio } = inputs;
  const both = [
    { preset: 'swin-v2-nano', modality: 'visual', name: visual.input, shape: [1, 3, visual.height, visual.width] },
    { preset: 'hts-at-nano', modality: 'audio', name: audio.input, shape: [1, 1, audio.frames, audio.mels] },
  ] as const;
  return both.map(({ preset, modality, name, shape }) => {
    const own = taps[modality] ?? [];
    const { graph, weights } = variants.wasm[modality]!;
    return {
      ...{ preset, form: 'stored8' as const, folder, graph, weights: weights!, bytes: 0 },
      input: { name, shape: [...shape] },
      taps: own.map((tap) => tap.name),
      shapes: own.map(({ tokens, width }) => [1, tokens, width]),
    };
  });
}

export const engine: Row = {
  id: 'engine',
  title: 'Engine over onnxruntime',
  how:
    'The two networks of nano as they ship, a second of media each, one thread. One session, run by the engine and by onnxruntime alone, each as often first. ' +
    'The ratio is the geometric mean of the medians of both orders.',
  async run({ quick }) {
    const figures: Figure[] = [];
    for (const device of ['cpu', 'wasm'] as const) {
      for (const graph of shippedGraphs()) {
        const rounds = quick ? 10 : device === 'cpu' ? 400 : 200;
        const { ms, ofPlain } = runApart({ graphs: [graph], device, threads: 1, rounds, plain: true })!.times[0]!;
        const what = `${graph.preset}, ${device === 'cpu' ? 'onnxruntime-node' : 'onnxruntime-web in Node'}`;
        const beside = { name: 'by onnxruntime alone', value: ms / ofPlain! };
        figures.push({ what, unit: 'ms', here: ms, beside, ratio: ofPlain!, atMost: 1.03 });
      }
    }
    return { figures, missing: [] };
  },
};
