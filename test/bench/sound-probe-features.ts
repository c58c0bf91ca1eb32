/**
 * What a frozen backbone says about a whole recording: each tap meaned over its tokens, then over the seconds that are not digital silence. The audio graph is run
 * by itself, so packages of one sense will do.
 */

import type { ClipSource } from '../../sdk/contract/clip.ts';
import type { Tap } from '../../sdk/contract/manifest.ts';
import type { Runtime } from '../../sdk/contract/runtime.ts';
import { GraphSession } from '../../sdk/engine/session.ts';
import { variantOf } from '../../sdk/engine/variant.ts';
import { MettleError } from '../../sdk/errors.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { openModel } from '../../sdk/hub/hub.ts';
import { openClip } from '../../sdk/media/clip.ts';

/** Means of one recording by name: those of the taps, and `input`, that of the log-mel picture over its frames. */
export type Means = Record<string, Float32Array>;

export type SoundBackbone = {
  id: string;
  /** True if its weights are seeded noise. */
  untrained: boolean;
  /** In the order of the network. */
  taps: Tap[];
  meansOf(source: ClipSource): Promise<Means>;
  release(): Promise<void>;
};

export const inputName = 'input';

/** A second whose largest sample is below this is digital silence, with what a lossy codec may have left in it (-80 dB). */
const silence = 1e-4;

/** Opens the sound side of a backbone: shipped id, or path of a package. Throws `incompatible` where it hears nothing, and what `openModel` throws. */
export async function openSoundBackbone(location: string, runtime: Runtime): Promise<SoundBackbone> {
  const opened = await openModel(location, 'backbone');
  const { manifest } = opened;
  const variant = variantOf(runtime.device);
  const frontEnd = manifest.inputs.audio;
  const graph = manifest.variants[variant]?.audio;
  if (!frontEnd || !graph) {
    throw new MettleError('incompatible', `Backbone "${manifest.id}" has no network for sound.`, {
      hint: 'Name one that hears, such as nano.',
    });
  }
  const { files } = await opened.download(variant);
  const taps = manifest.taps.audio;
  const names = taps.map(({ name }) => name);
  const session = await GraphSession.open(
    runtime,
    {
      label: `${graph.graph} of "${manifest.id}"`,
      graph: files[graph.graph]!,
      weights: { path: graph.weights, data: files[graph.weights]! },
    },
    { inputs: [frontEnd.input], outputs: names },
  );
  const logMel = createLogMel(frontEnd);
  const { frames, mels, layout } = frontEnd;
  const shape = layout === 'image' ? [1, 1, frames, mels] : [1, frames, mels];

  async function meansOfSecond(pcm: Float32Array): Promise<Means> {
    const picture = logMel(pcm);
    const outputs = await session.run({ [frontEnd!.input]: new runtime.ort.Tensor('float32', picture, shape) }, names);
    const means: Means = { [inputName]: meanOver(picture, frames, mels, 'tokens') };
    for (const { name, layout: order, tokens, width } of taps) {
      means[name] = meanOver(outputs[name]!.data as Float32Array, tokens, width, order);
    }
    return means;
  }
  return {
    id: manifest.id,
    untrained: manifest.untrained,
    taps,
    async meansOf(source) {
      await using clip = await openClip(source);
      const seconds: Means[] = [];
      for await (const { pcm } of clip.segments({ frame: { width: 1, height: 1 }, sampleRate: frontEnd.sampleRate })) {
        if (pcm?.some((x) => Math.abs(x) >= silence)) seconds.push(await meansOfSecond(pcm));
      }
      if (seconds.length > 0) return meanOfSeconds(seconds);
      throw new MettleError('empty-media', 'The recording is digital silence throughout.', { hint: 'Leave it out.' });
    },
    release: () => session.release(),
  };
}

/** [tokens, width] or, as a map, [width, tokens], to [width]. */
export function meanOver(data: Float32Array, tokens: number, width: number, layout: Tap['layout']): Float32Array {
  const [alongToken, alongWidth] = layout === 'tokens' ? [width, 1] : [1, tokens];
  return Float32Array.from({ length: width }, (_, w) => {
    let sum = 0;
    for (let t = 0; t < tokens; t++) sum += data[t * alongToken + w * alongWidth]!;
    return sum / tokens;
  });
}

function meanOfSeconds(seconds: readonly Means[]): Means {
  const names = Object.keys(seconds[0]!);
  return Object.fromEntries(
    names.map((name) => [
      name,
      Float32Array.from(
        seconds[0]![name]!,
        (_, i) => seconds.reduce((sum, means) => sum + means[name]![i]!, 0) / seconds.length,
      ),
    ]),
  );
}
