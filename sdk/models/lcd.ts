/**
 * Layer-Centric Distillation: for one block of a frozen backbone, a few learned meta-tokens read its intact output and condense it.
 * That there are two paths, one that preserves and one that adapts, is the paper's; their form is ours (preservation: attention without a value
 * projection; adaptation: multi-head cross-attention through a bottleneck, gated, zero at the start).
 *
 * The queries do not depend on the input, so the projections of keys and values are moved to their side ("absorbed", ours and exact):
 * scores of head h are (W_k' W_q m) n(X)', and values are projected after the weighted mean, on K rows instead of all tokens. The `plain` form
 * computes the same the usual way; it is there to be compared with.
 */
import { add, layerNorm, matmul, mean, mul, reshape, slice, softmax, transpose, type Value } from '../ops/index.ts';
import { norm } from './layers.ts';
import type { Params } from './params.ts';

export type LcdConfig = {
  /** Meta-tokens per block (K). */
  tokens: number;
  heads: number;
  /** `none`: no meta-tokens, the mean of the block's tokens stands for it, so that what is trained on top is a linear probe. */
  paths: 'both' | 'preservation' | 'task' | 'none';
  form: 'absorbed' | 'plain';
};

export const defaultLcd: LcdConfig = { tokens: 4, heads: 4, paths: 'both', form: 'absorbed' };

/** Width of the task path's bottleneck: an eighth of the block's, up to the next multiple of 8 so that heads can share it, at least 16. */
export const bottleneck = (width: number): number => Math.max(16, 8 * Math.ceil(width / 64));

/** Tokens that stand for a block: K, or one without paths. */
export const tokensPerBlock = ({ paths, tokens }: Pick<LcdConfig, 'paths' | 'tokens'>): number =>
  paths === 'none' ? 1 : tokens;

/** Condenses a block's output [N, tokens, D] to [N, K, D], without paths to its mean token [N, 1, D]. */
export function lcd(p: Params, x: Value, config: LcdConfig): Value {
  if (config.paths === 'none') return norm(p, 'norm', mean(x, [1], true));
  const width = x.shape[2]!;
  const meta = p.get('meta_tokens', [config.tokens, width], { normal: 1 });
  const kept = config.paths === 'task' ? null : preserve(meta, x);
  const task = config.paths === 'preservation' ? null : adapt(p, meta, layerNorm(x), config);
  if (!task) return norm(p, 'norm', kept!);
  if (!kept) return norm(p, 'norm', task);
  const gate = p.get('gate', [width], { constant: 0 });
  return norm(p, 'norm', add(kept, mul(task, gate)));
}

/** softmax(M X' / sqrt(D)) X: every result is a convex combination of the block's own tokens. */
function preserve(meta: Value, x: Value): Value {
  return attend(mul(meta, meta.shape[1]! ** -0.5), x, x);
}

/** softmax(Q K') V with Q [rows, D] for all of a batch; scores are taken from the tokens' side, so that only they are turned round. */
function attend(queries: Value, keys: Value, values: Value): Value {
  const scores = transpose(matmul(keys, queries, { transposeB: true }), [0, 2, 1]);
  return matmul(softmax(scores), values);
}

/** W_o concat_h(softmax(q_h k_h') v_h) on normed tokens: [N, K, D]. */
function adapt(p: Params, meta: Value, normed: Value, config: LcdConfig): Value {
  const width = meta.shape[1]!;
  const inner = bottleneck(width);
  const project = (name: string): Value => p.get(name, [inner, width], 'fan-in');
  const [query, key, value] = [project('query.weight'), project('key.weight'), project('value.weight')];
  const out = p.get('out.weight', [width, inner], 'fan-in');
  const form = config.form === 'absorbed' ? absorbed : plain;
  const mixed = form(scaledQueries(meta, query, config), key, value, normed, config);
  return matmul(mixed, out, { transposeB: true });
}

/** W_q m / sqrt(r/H) by head: [H, K, r/H]. */
function scaledQueries(meta: Value, query: Value, { tokens, heads }: LcdConfig): Value {
  const size = query.shape[0]! / heads;
  const projected = mul(matmul(meta, query, { transposeB: true }), size ** -0.5);
  return transpose(reshape(projected, [tokens, heads, size]), [1, 0, 2]);
}

type Form = (queries: Value, key: Value, value: Value, normed: Value, config: LcdConfig) => Value;

/** Result [N, K, r], computed with rows of width D for each of the H K queries, and none of width r for the tokens. */
const absorbed: Form = (queries, key, value, normed, { tokens, heads }) => {
  const [n, , width] = normed.shape as [number, number, number];
  const inner = key.shape[0]!;
  const perHead = (weight: Value): Value => reshape(weight, [heads, inner / heads, width]);
  const rows = reshape(matmul(queries, perHead(key)), [heads * tokens, width]);
  const context = reshape(attend(rows, normed, normed), [n, heads, tokens, width]);
  const mixed = matmul(context, perHead(value), { transposeB: true });
  return reshape(transpose(mixed, [0, 2, 1, 3]), [n, tokens, inner]);
};

/** The same with keys and values for every token: [N, tokens, r] each. */
const plain: Form = (queries, key, value, normed, { tokens, heads }) => {
  const [n, length] = normed.shape as [number, number];
  const inner = key.shape[0]!;
  const perHead = (weight: Value): Value =>
    transpose(reshape(matmul(normed, weight, { transposeB: true }), [n, length, heads, inner / heads]), [0, 2, 1, 3]);
  const attention = softmax(matmul(queries, perHead(key), { transposeB: true }));
  const mixed = matmul(attention, perHead(value));
  return reshape(transpose(mixed, [0, 2, 1, 3]), [n, tokens, inner]);
};

/** How meta-tokens read the layers of one sense, and how these are brought together. */
export type DistillConfig = LcdConfig & {
  /** Common width (c) of all meta-tokens after distillation. */
  width: number;
  /** How blocks are brought together: with equal or with learned weights. */
  average: 'mean' | 'learned';
};

/** A block that is read: which stage it belongs to, and its output [N, tokens, D]. */
export type ReadTap = { name: string; stage: number; value: Value };

/**
 * Meta-tokens of all blocks read of one modality, each stage mapped to the common width, averaged over blocks: [N, K, c], without paths [N, 1, c].
 *
 * Parameters: for each tap of width D and bottleneck r, K D meta-tokens and 2 D of the norm, with the task path 4 r D more, and with both paths D more for the
 * gate; without paths 2 D alone; for each width D that occurs, c D + c of its map; with learned shares one per tap. The form changes nothing.
 */
export function distill(p: Params, taps: readonly ReadTap[], config: DistillConfig): Value {
  const condensed = taps.map(({ name, stage, value }) => {
    const tokens = p.in(name, (q) => lcd(q, value, config));
    return p.in(`stage${stage}`, (q) => {
      const weight = q.get('weight', [config.width, tokens.shape[2]!], 'fan-in');
      return add(matmul(tokens, weight, { transposeB: true }), q.get('bias', [config.width], { constant: 0 }));
    });
  });
  if (config.average === 'mean') return mul(condensed.reduce(add), 1 / condensed.length);
  const shares = softmax(p.get('layer_weights', [1, condensed.length], { constant: 0 }));
  return condensed.map((tokens, i) => mul(tokens, reshape(slice(shares, 1, i, i + 1), []))).reduce(add);
}
