/** Classes of a picture by MediaPipe Tasks, from files of this machine: bundled where that package is installed. */
import { ImageClassifier } from '@mediapipe/tasks-vision';

export const open = async ({ model, runtimePath }, read) => {
  const classifier = await ImageClassifier.createFromOptions(
    {
      wasmLoaderPath: `${runtimePath}vision_wasm_internal.js`,
      wasmBinaryPath: `${runtimePath}vision_wasm_internal.wasm`,
    },
    { baseOptions: { modelAssetBuffer: await read(model), delegate: 'CPU' }, runningMode: 'IMAGE' },
  );
  return async ({ width, height, data }) => {
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    const { classifications } = classifier.classify(new ImageData(rgba, width, height));
    const scores = new Float32Array(classifications[0].categories.length);
    for (const { index, score } of classifications[0].categories) scores[index] = score;
    return scores;
  };
};
