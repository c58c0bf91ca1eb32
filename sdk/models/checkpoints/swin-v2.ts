/** Names of Swin-V2's tensors in Microsoft's files, in timm's and in those of Hugging Face transformers. */
import type { Fate, Rule } from './rules.ts';

const to = (name: string, part?: readonly [number, number]): Fate => ({ to: name, ...(part ? { part } : {}) });
const head: Fate = { ignored: 'classification head' };
const computed = 'table that is computed here';

/** Ours are the same. */
export const microsoftRules: readonly Rule[] = [
  [/^layers\.\d+\.blocks\.\d+\.attn\.relative_coords_table$/, () => ({ ignored: computed, buffer: 'offsets' })],
  [/^layers\.\d+\.blocks\.\d+\.attn\.relative_position_index$/, () => ({ ignored: computed, buffer: 'offset index' })],
  [/^layers\.\d+\.blocks\.\d+\.attn_mask$/, () => ({ ignored: computed, buffer: 'shift mask' })],
  [/^layers\.\d+\.blocks\.\d+\.attn\.k_bias$/, () => ({ ignored: 'bias of keys, always 0' })],
  [/^head\.(?:fc\.)?(?:weight|bias)$/, () => head],
];

/** The merging that ends a stage with us begins the next one there. */
export const timmRules: readonly Rule[] = [
  [/^layers\.([1-9]\d*)\.downsample\.(.+)$/, ([, stage, rest]) => to(`layers.${Number(stage) - 1}.downsample.${rest}`)],
  ...microsoftRules,
];

const block = String.raw`^encoder\.(layers\.\d+\.blocks\.\d+)\.`;
const inBlock = (pattern: string, fate: (match: RegExpMatchArray) => Fate): Rule => [
  new RegExp(`${block}${pattern}$`),
  fate,
];

/** Its "before" and "after" mean the first and the second norm; both stand behind their branch. */
export const huggingFaceRules: readonly Rule[] = [
  [/^embeddings\.patch_embeddings\.projection\.(weight|bias)$/, ([, kind]) => to(`patch_embed.proj.${kind}`)],
  [/^embeddings\.norm\.(weight|bias)$/, ([, kind]) => to(`patch_embed.norm.${kind}`)],
  [/^embeddings\.(?:mask_token|position_embeddings)$/, () => ({ ignored: 'part of the pretraining alone' })],
  inBlock('attention\\.self\\.logit_scale', ([, at]) => to(`${at}.attn.logit_scale`)),
  inBlock('attention\\.self\\.continuous_position_bias_mlp\\.(0\\.weight|0\\.bias|2\\.weight)', ([, at, kind]) =>
    to(`${at}.attn.cpb_mlp.${kind}`),
  ),
  inBlock('attention\\.self\\.query\\.weight', ([, at]) => to(`${at}.attn.qkv.weight`, [0, 3])),
  inBlock('attention\\.self\\.key\\.weight', ([, at]) => to(`${at}.attn.qkv.weight`, [1, 3])),
  inBlock('attention\\.self\\.value\\.weight', ([, at]) => to(`${at}.attn.qkv.weight`, [2, 3])),
  inBlock('attention\\.self\\.query\\.bias', ([, at]) => to(`${at}.attn.q_bias`)),
  inBlock('attention\\.self\\.value\\.bias', ([, at]) => to(`${at}.attn.v_bias`)),
  inBlock('attention\\.self\\.relative_coords_table', () => ({ ignored: computed, buffer: 'offsets' })),
  inBlock('attention\\.self\\.relative_position_index', () => ({ ignored: computed, buffer: 'offset index' })),
  inBlock('attention\\.output\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.attn.proj.${kind}`)),
  inBlock('layernorm_before\\.(weight|bias)', ([, at, kind]) => to(`${at}.norm1.${kind}`)),
  inBlock('layernorm_after\\.(weight|bias)', ([, at, kind]) => to(`${at}.norm2.${kind}`)),
  inBlock('intermediate\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.mlp.fc1.${kind}`)),
  inBlock('output\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.mlp.fc2.${kind}`)),
  [/^encoder\.(layers\.\d+\.downsample\..+)$/, ([, name]) => to(name!)],
  [/^layernorm\.(weight|bias)$/, ([, kind]) => to(`norm.${kind}`)],
  [/^classifier\.(?:weight|bias)$/, () => head],
];

export const outsideOfHuggingFace: readonly Rule[] = [
  [/^classifier\.(?:weight|bias)$/, () => head],
  [/^decoder\./, () => ({ ignored: 'decoder of the pretraining' })],
];
