/** Names of HTS-AT's tensors in the original files and in CLAP's of Hugging Face transformers. */
import type { Fate, Rule } from './rules.ts';

const to = (name: string, part?: readonly [number, number]): Fate => ({ to: name, ...(part ? { part } : {}) });
const computed = 'table that is computed here';
const frontEnd = 'front end that is computed here';

/** Ours are the same. */
export const htsAtRules: readonly Rule[] = [
  [/^spectrogram_extractor\.stft\.conv_(?:real|imag)\.weight$/, () => ({ ignored: frontEnd, buffer: 'transform' })],
  [/^logmel_extractor\.melW$/, () => ({ ignored: frontEnd, buffer: 'mel filters' })],
  [/^bn0\.num_batches_tracked$/, () => ({ ignored: 'counter of the training' })],
  [/^layers\.\d+\.blocks\.\d+\.attn\.relative_position_index$/, () => ({ ignored: computed, buffer: 'offset index' })],
  [/^layers\.\d+\.blocks\.\d+\.attn_mask$/, () => ({ ignored: computed, buffer: 'shift mask' })],
  [/^(?:tscam_conv|head)\.(?:weight|bias)$/, () => ({ ignored: 'classification head' })],
];

const inBlock = (pattern: string, fate: (match: RegExpMatchArray) => Fate): Rule => [
  new RegExp(String.raw`^(layers\.\d+\.blocks\.\d+)\.${pattern}$`),
  fate,
];

export const clapRules: readonly Rule[] = [
  [/^batch_norm\.num_batches_tracked$/, () => ({ ignored: 'counter of the training' })],
  [/^batch_norm\.(weight|bias|running_mean|running_var)$/, ([, kind]) => to(`bn0.${kind}`)],
  [/^patch_embed\.(?:proj|norm)\.(?:weight|bias)$/, ([name]) => to(name)],
  inBlock('attention\\.self\\.relative_position_bias_table', ([, at]) => to(`${at}.attn.relative_position_bias_table`)),
  inBlock('attention\\.self\\.relative_position_index', () => ({ ignored: computed, buffer: 'offset index' })),
  inBlock('attention\\.self\\.query\\.(weight|bias)', ([, at, kind]) => to(`${at}.attn.qkv.${kind}`, [0, 3])),
  inBlock('attention\\.self\\.key\\.(weight|bias)', ([, at, kind]) => to(`${at}.attn.qkv.${kind}`, [1, 3])),
  inBlock('attention\\.self\\.value\\.(weight|bias)', ([, at, kind]) => to(`${at}.attn.qkv.${kind}`, [2, 3])),
  inBlock('attention\\.output\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.attn.proj.${kind}`)),
  inBlock('layernorm_before\\.(weight|bias)', ([, at, kind]) => to(`${at}.norm1.${kind}`)),
  inBlock('layernorm_after\\.(weight|bias)', ([, at, kind]) => to(`${at}.norm2.${kind}`)),
  inBlock('intermediate\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.mlp.fc1.${kind}`)),
  inBlock('output\\.dense\\.(weight|bias)', ([, at, kind]) => to(`${at}.mlp.fc2.${kind}`)),
  [/^layers\.\d+\.downsample\.(?:reduction\.weight|norm\.weight|norm\.bias)$/, ([name]) => to(name)],
  [/^norm\.(?:weight|bias)$/, ([name]) => to(name)],
];

export const outsideOfClap: readonly Rule[] = [
  [/^(?:audio_projection|text_projection|text_model)\./, () => ({ ignored: 'the text side of CLAP, and projections' })],
  [/^logit_scale_[at]$/, () => ({ ignored: 'the text side of CLAP, and projections' })],
];
