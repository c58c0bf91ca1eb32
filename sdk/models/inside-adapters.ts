/**
 * The way that we do not go, to be compared with: small trainable layers inside the frozen backbones, in the manner of LAVISH (Lin et al., CVPR 2023) but with
 * one bottleneck per block and no exchange between sound and picture, which would keep more still. Training it sends gradients through every block.
 */
import { add, gelu, mul, type Value } from '../ops/index.ts';
import { type HtsAtConfig, htsAt } from './hts-at.ts';
import { dense } from './layers.ts';
import { bottleneck } from './lcd.ts';
import type { Params } from './params.ts';
import type { Adapt, Features } from './swin.ts';
import { type SwinV2Config, swinV2 } from './swin-v2.ts';

/** x + gate * up(gelu(down(x))) after each block, the gate zero at the start; down to the width that LCD's bottleneck has. */
export const insideAdapters =
  (p: Params): Adapt =>
  (x, name) =>
    p.in(name, (q) => {
      const width = x.shape.at(-1)!;
      const branch = dense(q, 'up', gelu(dense(q, 'down', x, bottleneck(width))), width);
      return add(x, mul(branch, q.get('gate', [width], { constant: 0 })));
    });

/** Both networks on frozen weights with trainable adapters inside; all of one graph. `picture` [B, 3, H, W], `logMel` [B, 1, frames, mels]. */
export function adaptedInside(
  trainable: Params,
  frozen: { visual: Params; audio: Params },
  inputs: { picture: Value; logMel: Value },
  networks: { visual: SwinV2Config; audio: HtsAtConfig },
): { visual: Features; audio: Features } {
  const inside = (modality: 'visual' | 'audio'): Adapt =>
    trainable.in(`inside.${modality}`, (p) => (x, name) => insideAdapters(p)(x, name));
  return {
    visual: swinV2(frozen.visual, inputs.picture, networks.visual, inside('visual')),
    audio: htsAt(frozen.audio, inputs.logMel, networks.audio, inside('audio')),
  };
}
