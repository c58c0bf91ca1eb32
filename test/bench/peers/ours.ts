/** A network from pictures to numbers, run by our front end and our engine: bundled for Node and for pages, as the peers beside it. */
import { runtimes } from '#runtimes';
import type { PictureFrontEnd } from '../../../sdk/contract/manifest.ts';
import { GraphSession } from '../../../sdk/engine/session.ts';
import { pictureToTensor } from '../../../sdk/front-end/picture.ts';
import type { Open } from './drive.ts';

export type OursConfig = { graph: string; output: string; frontEnd: PictureFrontEnd; runtimePath?: string };

export const open: Open<OursConfig> = async ({ graph, output, frontEnd, runtimePath }, read) => {
  const device = runtimePath ? 'wasm' : 'cpu';
  const runtime = await runtimes.loadRuntime({ device, threads: 1, runtimePath });
  const { input, width, height } = frontEnd;
  const source = { label: graph, graph: await read(graph) };
  const session = await GraphSession.open(runtime, source, { inputs: [input], outputs: [output] });
  return async (picture) => {
    const data = pictureToTensor(picture, frontEnd);
    const feeds = { [input]: new runtime.ort.Tensor('float32', data, [1, 3, height, width]) };
    return (await session.run(feeds, [output]))[output]!.data as Float32Array;
  };
};
