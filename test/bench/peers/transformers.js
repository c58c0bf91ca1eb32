/** Feature extraction of pictures by Hugging Face's transformers.js, from a local folder: bundled where that package is installed. */
import { env, pipeline, RawImage } from '@huggingface/transformers';

export const open = async ({ folder, model, runtimePath }) => {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.localModelPath = folder;
  if (runtimePath) Object.assign(env.backends.onnx.wasm, { wasmPaths: runtimePath, numThreads: 1 });
  const extract = await pipeline('image-feature-extraction', model, {
    dtype: 'fp32',
    device: runtimePath ? 'wasm' : 'cpu',
    session_options: { intraOpNumThreads: 1 },
  });
  return async ({ width, height, data }) => (await extract(new RawImage(data, width, height, 3))).data;
};
