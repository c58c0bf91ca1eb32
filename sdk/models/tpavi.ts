/**
 * An audio-visual non-local block in the manner of TPAVI (Zhou et al., ECCV 2022), ours in two points: a gate that is zero at the start instead of a batch norm,
 * and no norm after the sum. Every place of a clip's maps attends to every other by a product with sound, without a softmax, so (theta phi') g / N is
 * computed as theta (phi' g) / N; and as sound is the same all over a frame, g is summed over each frame first. The N x N matrix is never built.
 */
import { add, matmul, mul, reshape, sum, type Value } from '../ops/index.ts';
import { dense } from './layers.ts';
import type { Params } from './params.ts';

/** Width of the attention. */
const inner = 128;

/** `map` [B * seconds, tokens, D] plus what sound lets it see of the whole clip; `audio` is [B * seconds, c]. */
export function tpavi(p: Params, map: Value, audio: Value, seconds: number): Value {
  const [n, tokens, width] = map.shape as [number, number, number];
  const clips = n / seconds;
  if (!Number.isInteger(clips)) throw new Error(`${n} frames are no clips of ${seconds} seconds`);
  const theta = reshape(dense(p, 'theta', map, inner), [clips, seconds * tokens, inner]);
  const phi = reshape(dense(p, 'phi', audio, inner), [clips, seconds, inner]);
  const values = reshape(sum(dense(p, 'g', map, inner), [1]), [clips, seconds, inner]);
  const context = mul(matmul(phi, values, { transposeA: true }), 1 / (seconds * tokens));
  const mixed = reshape(matmul(theta, context), [n, tokens, inner]);
  return add(map, mul(dense(p, 'out', mixed, width, { bias: false }), p.get('gate', [width], { constant: 0 })));
}
