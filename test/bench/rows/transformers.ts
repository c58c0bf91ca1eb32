/** The same Swin-V2 graph as feature extraction of pictures, here and in Hugging Face's transformers.js, which npm installs into a folder of the row's own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backboneTaps } from '../../../sdk/models/backbone.ts';
import { Params } from '../../../sdk/models/params.ts';
import { type PresetName, presets, type VisualPreset } from '../../../sdk/models/presets.ts';
import { writeOnnx } from '../../../sdk/onnx/writer.ts';
import { CannotInstall, installEnvironment, installedVersions } from '../../embed/install.ts';
import { bundlePeer, place } from '../peers/bundle.ts';
import { differenceOf, type Race, type Result, raceFigures, raceInNode, raceInPages } from '../peers/race.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const packages = { '@huggingface/transformers': '4.3.2' };
const ourRuntime = fileURLToPath(new URL('../../../node_modules/onnxruntime-web/dist', import.meta.url));
const pixels = 'pixel_values';
const features = 'last_hidden_state';

/** A model folder as transformers.js reads it; ours reads its graph alone. Weights are seeded noise, which changes no time. */
async function writeModel(name: PresetName, folder: string): Promise<VisualPreset> {
  const preset = presets[name] as VisualPreset;
  const { network } = preset;
  const frontEnd = { ...preset.frontEnd, input: pixels };
  const { width, height, mean, std } = frontEnd;
  const taps = backboneTaps({ ...preset, frontEnd }, (graph) => Params.constants(graph, { seed: 1 }));
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx/model.onnx'), writeOnnx({ [features]: taps.at(-1)!.value }));
  const config = {
    ...{ model_type: 'swinv2', architectures: ['Swinv2Model'], image_size: width, patch_size: network.patch },
    ...{ embed_dim: network.width, depths: network.depths, num_heads: network.heads, window_size: network.window },
  };
  const preprocessor = {
    ...{ image_processor_type: 'ViTImageProcessor', do_resize: true, size: { width, height }, resample: 3 },
    ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: mean, image_std: std },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(preprocessor));
  return { ...preset, frontEnd };
}

/** Throws where the two do not compute the same. */
function checked(result: Result): Result {
  const difference = differenceOf(result);
  if (difference > 1e-3) throw new Error(`transformers.js gives other features: they differ by ${difference}.`);
  return result;
}

async function race(name: PresetName, folder: string, installed: string, rounds: number): Promise<Figure[]> {
  const { frontEnd } = await writeModel(name, join(folder, 'models', name));
  const graph = `models/${name}/onnx/model.onnx`;
  const { width, height } = frontEnd;
  const common = { width, height, rounds };
  const inNode: Race = {
    ...common,
    here: {
      script: join(folder, 'ours-node/peer.js'),
      config: { graph: join(folder, graph), output: features, frontEnd },
    },
    beside: {
      script: join(folder, 'theirs-node/peer.js'),
      config: { folder: join(folder, 'models/'), model: name },
    },
  };
  const inPage: Race = {
    ...common,
    here: { script: 'ours.js', config: { graph: `/${graph}`, output: features, frontEnd, runtimePath: '/ours/' } },
    beside: { script: 'theirs.js', config: { folder: '/models/', model: name, runtimePath: '/theirs/' } },
  };
  await bundlePeer('ours.ts', 'node', inNode.here.script);
  await bundlePeer('transformers.js', 'node', inNode.beside.script, installed);
  const node = checked(await raceInNode(inNode));
  const page = checked(await raceInPages(inPage, folder));
  return [
    ...raceFigures(`${name}, Node`, 'by transformers.js', node),
    ...raceFigures(`${name}, page`, 'by transformers.js', page),
  ];
}

export const transformers: Row = {
  id: 'transformers',
  title: 'transformers.js',
  how:
    'One Swin-V2 graph in float32 with seeded weights, a picture of its size in, its last features out: by our front end and engine, and by the pipeline ' +
    '`image-feature-extraction` of @huggingface/transformers from a local folder, without network. Node: onnxruntime-node; page: WASM in Chromium; one thread each. Both must give ' +
    'the same features within 0.1 %. In the page both are bundled by esbuild. Here neither digests nor canaries are checked, as they are when a package is loaded.',
  async run({ quick, folder }) {
    try {
      const installed = await installEnvironment({ name: 'transformers', title: '', fixtures: [], packages, runs: [] });
      try {
        const runtime = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];
        await place(join(folder, 'ours'), ourRuntime, runtime);
        const names = ['asyncify', 'jsep', 'jspi'].flatMap((kind) => [
          `ort-wasm-simd-threaded.${kind}.mjs`,
          `ort-wasm-simd-threaded.${kind}.wasm`,
        ]);
        const theirRuntime = join(installed.folder, 'node_modules/onnxruntime-web/dist');
        await place(join(folder, 'theirs'), theirRuntime, [...runtime, ...names]);
        await bundlePeer('ours.ts', 'page', join(folder, 'ours.js'));
        await bundlePeer('transformers.js', 'page', join(folder, 'theirs.js'), installed.folder);
        const versions = await installedVersions(installed.folder, [
          ...Object.keys(packages),
          'onnxruntime-node',
          'onnxruntime-web',
        ]);
        const figures = await race('swin-v2-nano', folder, installed.folder, quick ? 4 : 60);
        if (!quick) figures.push(...(await race('swin-v2-tiny-256-w8', folder, installed.folder, 16)));
        return { figures, missing: [], versions };
      } finally {
        await installed.remove();
      }
    } catch (error) {
      if (!(error instanceof CannotInstall)) throw error;
      return { figures: [], missing: [`@huggingface/transformers could not be installed: ${error.message}`] };
    }
  },
};
