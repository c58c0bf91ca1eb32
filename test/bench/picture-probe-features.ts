/** What a frozen backbone says about a photograph: each tap meaned over its tokens. The visual graph is run by itself, so packages of one sense will do. */
import { readFile } from 'node:fs/promises';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { GraphSession } from '../../sdk/engine/session.ts';
import { variantOf } from '../../sdk/engine/variant.ts';
import { MettleError } from '../../sdk/errors.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { openModel } from '../../sdk/hub/hub.ts';
import { readPicture } from '../../sdk/node/data/picture.ts';
import { meanOver } from './sound-probe-features.ts';

export type PictureBackbone = {
  id: string;
  /** True if its weights are seeded noise. */
  untrained: boolean;
  /** The tap that is meant by "last": the last that is no single token, which would be scores of classes. */
  last: string;
  /** Of the last tap. */
  meanOf(path: string): Promise<Float32Array>;
  release(): Promise<void>;
};

/** Opens the visual side of a backbone: shipped id, or path of a package. Throws `incompatible` where it sees nothing, and what `openModel` throws. */
export async function openPictureBackbone(location: string, runtime: Runtime): Promise<PictureBackbone> {
  const opened = await openModel(location, 'backbone');
  const { manifest } = opened;
  const variant = variantOf(runtime.device);
  const frontEnd = manifest.inputs.visual;
  const graph = manifest.variants[variant]?.visual;
  const tap = manifest.taps.visual.findLast(({ tokens }) => tokens > 1);
  if (!frontEnd || !graph || !tap) {
    throw new MettleError('incompatible', `Backbone "${manifest.id}" has no network for pictures.`, {
      hint: 'Name one that sees, such as nano.',
    });
  }
  const { files } = await opened.download(variant);
  const session = await GraphSession.open(
    runtime,
    {
      label: `${graph.graph} of "${manifest.id}"`,
      graph: files[graph.graph]!,
      weights: { path: graph.weights, data: files[graph.weights]! },
    },
    { inputs: [frontEnd.input], outputs: [tap.name] },
  );
  const shape = [1, 3, frontEnd.height, frontEnd.width];
  return {
    id: manifest.id,
    untrained: manifest.untrained,
    last: tap.name,
    async meanOf(path) {
      const pixels = pictureToTensor(await readPicture(await readFile(path), path), frontEnd);
      const input = new runtime.ort.Tensor('float32', pixels, shape);
      const outputs = await session.run({ [frontEnd.input]: input }, [tap.name]);
      return meanOver(outputs[tap.name]!.data as Float32Array, tap.tokens, tap.width, tap.layout);
    },
    release: () => session.release(),
  };
}
