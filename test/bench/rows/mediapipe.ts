/** MobileNetV2 as a TensorFlow Lite file, run by MediaPipe Tasks in a page, and by our engine after our translation to ONNX. */
import { copyFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTflite } from '../../../sdk/compile/tflite.ts';
import { fedInputs } from '../../../sdk/onnx/taps.ts';
import { CannotInstall, installEnvironment, installedVersions } from '../../embed/install.ts';
import { readShared, sharedIsAbsent, sharedPath } from '../../helpers/shared.ts';
import { bundlePeer, place } from '../peers/bundle.ts';
import { type Race, type Result, raceFigures, raceInPages } from '../peers/race.ts';
import type { Row } from './row.ts';

const packages = { '@mediapipe/tasks-vision': '1.1.0' };
const file = 'backbones/tflite/mobilenet_v2_1.0_224_quant.tflite';
const ourRuntime = fileURLToPath(new URL('../../../node_modules/onnxruntime-web/dist', import.meta.url));

const missing = [
  'MediaPipe Tasks audio: its classifier takes only files that carry TensorFlow Lite metadata, and the YAMNet at hand has none.',
  'TensorFlow.js: no model in its format is at hand, and its reader of TensorFlow Lite files was never more than an alpha.',
];

/** Throws where our first class is not among its first five: its products have 8 bits. */
function checked(result: Result): Result {
  const ranked = ({ numbers }: Result['here']): number[] =>
    numbers.map((_, index) => index).sort((a, b) => numbers[b]! - numbers[a]!);
  const [ours, theirs] = [ranked(result.here)[0]!, ranked(result.beside).slice(0, 5)];
  if (!theirs.includes(ours)) throw new Error(`We say class ${ours}, MediaPipe's first are ${theirs}.`);
  return result;
}

async function raceOf(folder: string, installed: string, rounds: number): Promise<Race> {
  const { network, frontEnd } = openTflite(readShared(file), file);
  if (frontEnd?.modality !== 'visual') throw new Error(`${file} does not say how its pictures are scaled.`);
  const { graph } = network.model;
  const own = { ...frontEnd.frontEnd, input: fedInputs(graph)[0]!.name };
  await writeFile(join(folder, 'model.onnx'), network.bytes);
  await copyFile(sharedPath(file), join(folder, basename(file)));
  await place(join(folder, 'ours'), ourRuntime, [
    ...['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'],
  ]);
  const wasm = ['vision_wasm_internal.js', 'vision_wasm_internal.wasm'];
  await place(join(folder, 'theirs'), join(installed, 'node_modules/@mediapipe/tasks-vision/wasm'), wasm);
  await bundlePeer('ours.ts', 'page', join(folder, 'ours.js'));
  await bundlePeer('mediapipe.js', 'page', join(folder, 'theirs.js'), installed);
  const { width, height } = own;
  const output = graph.outputs.at(-1)!.name;
  return {
    ...{ width, height, rounds },
    here: { script: 'ours.js', config: { graph: '/model.onnx', output, frontEnd: own, runtimePath: '/ours/' } },
    beside: { script: 'theirs.js', config: { model: `/${basename(file)}`, runtimePath: '/theirs/' } },
  };
}

export const mediapipe: Row = {
  id: 'mediapipe',
  title: 'MediaPipe Tasks',
  how:
    'MobileNetV2 of 224 x 224 with weights and products of 8 bits, in Chromium, one thread: `ImageClassifier` of MediaPipe runs the TensorFlow Lite file as it is, we run its ' +
    'translation in float32 on onnxruntime-web. Our first class must be among its first five.',
  async run({ quick, folder }) {
    if (sharedIsAbsent(file))
      return { figures: [], missing: [`MediaPipe Tasks vision: ${file} is not here.`, ...missing] };
    try {
      const installed = await installEnvironment({ name: 'mediapipe', title: '', fixtures: [], packages, runs: [] });
      try {
        const race = await raceOf(folder, installed.folder, quick ? 4 : 40);
        const result = checked(await raceInPages(race, folder));
        const versions = await installedVersions(installed.folder, Object.keys(packages));
        return { figures: raceFigures('MobileNetV2, page', 'by MediaPipe', result), missing, versions };
      } finally {
        await installed.remove();
      }
    } catch (error) {
      if (!(error instanceof CannotInstall)) throw error;
      return { figures: [], missing: [`@mediapipe/tasks-vision could not be installed: ${error.message}`, ...missing] };
    }
  },
};
