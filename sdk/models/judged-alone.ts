/**
 * Video parsing without a look along time (ours): per second and sense one linear map of the mean meta-token, and a sigmoid. Of a few examples nothing more can be learned
 * without learning them by heart. A second is its own clip, so what is said of whole clips is what is said of each second.
 */
import { expand, mean, sigmoid, type Value } from '../ops/index.ts';
import { dense } from './layers.ts';
import type { SensedTokens } from './localization.ts';
import type { Params } from './params.ts';

/** Probabilities [B, T, classes], by the names that parsing has for them; 0 for a sense without meta-tokens [B, T, K, c]. */
export function judgedAlone(
  p: Params,
  { audio, visual, mask }: SensedTokens,
  classes: number,
): Record<'audio' | 'visual' | 'audioClip' | 'visualClip', Value> {
  const judged = (sense: string, tokens: Value | null): Value =>
    tokens
      ? p.in(sense, (q) => sigmoid(dense(q, 'classifier', mean(tokens, [2]), classes)))
      : expand(mask.graph.scalar(0), [...mask.shape, classes]);
  const [heard, seen] = [judged('audio', audio), judged('visual', visual)];
  return { audio: heard, visual: seen, audioClip: heard, visualClip: seen };
}
