/** One network's weights under the names of several projects, written apart from the rules that read them. */
import type { Tensors } from './checkpoint-files.ts';

type Weights = Record<string, Tensors[string]>;
type Tensor = Tensors[string];

/** Microsoft's names with the tables that its files carry; `windows` are those of the stages, `measuredBy` the window of the pretraining. */
export function asMicrosoft(weights: Weights, windows: readonly number[], measuredBy: readonly number[]): Weights {
  const tables: Weights = {};
  for (const name of Object.keys(weights)) {
    const [, at, stage] = /^(layers\.(\d)\.blocks\.\d\.attn)\.q_bias$/.exec(name) ?? [];
    if (at === undefined) continue;
    const window = windows[Number(stage)]!;
    const side = 2 * window - 1;
    const log = (offset: number): number => {
      const x = (8 * offset) / (measuredBy[Number(stage)]! - 1);
      return (Math.sign(x) * Math.log2(Math.abs(x) + 1)) / 3;
    };
    const offsets = Array.from({ length: side * side }, (_, i) => [
      log(Math.floor(i / side) - window + 1),
      log((i % side) - window + 1),
    ]);
    tables[`${at}.relative_coords_table`] = { shape: [1, side, side, 2], data: Float32Array.from(offsets.flat()) };
    tables[`${at}.relative_position_index`] = zeros64([window ** 2, window ** 2]);
  }
  return { ...weights, ...tables };
}

const zeros64 = (shape: number[]): Tensor => ({
  shape,
  data: new BigInt64Array(shape.reduce((product, size) => product * size, 1)),
});

/** The merging moves to the next stage, masks are gone, the head has a part of its own. */
export function asTimm(weights: Weights): Weights {
  return renamed(weights, (name) => {
    if (name.endsWith('attn_mask')) return null;
    const [, stage, rest] = /^layers\.(\d)\.downsample\.(.+)$/.exec(name) ?? [];
    if (stage !== undefined) return `layers.${Number(stage) + 1}.downsample.${rest}`;
    return name.replace(/^head\./, 'head.fc.');
  });
}

/** The name of a block's tensor in the transformers of Hugging Face, after `layers.S.blocks.B.`. */
const huggingFaceBlock: Record<string, string> = {
  'norm1.weight': 'layernorm_before.weight',
  'norm1.bias': 'layernorm_before.bias',
  'norm2.weight': 'layernorm_after.weight',
  'norm2.bias': 'layernorm_after.bias',
  'attn.logit_scale': 'attention.self.logit_scale',
  'attn.cpb_mlp.0.weight': 'attention.self.continuous_position_bias_mlp.0.weight',
  'attn.cpb_mlp.0.bias': 'attention.self.continuous_position_bias_mlp.0.bias',
  'attn.cpb_mlp.2.weight': 'attention.self.continuous_position_bias_mlp.2.weight',
  'attn.q_bias': 'attention.self.query.bias',
  'attn.v_bias': 'attention.self.value.bias',
  'attn.relative_position_bias_table': 'attention.self.relative_position_bias_table',
  'attn.relative_position_index': 'attention.self.relative_position_index',
  'attn.proj.weight': 'attention.output.dense.weight',
  'attn.proj.bias': 'attention.output.dense.bias',
  'mlp.fc1.weight': 'intermediate.dense.weight',
  'mlp.fc1.bias': 'intermediate.dense.bias',
  'mlp.fc2.weight': 'output.dense.weight',
  'mlp.fc2.bias': 'output.dense.bias',
};

function huggingFace(weights: Weights, rest: (name: string) => string | null, prefix: string): Weights {
  const result: Weights = {};
  for (const [name, tensor] of Object.entries(weights)) {
    const [, at, own] = /^(layers\.\d\.blocks\.\d)\.(.+)$/.exec(name) ?? [];
    const kind = /^attn\.qkv\.(weight|bias)$/.exec(own ?? '')?.[1];
    if (kind) {
      ['query', 'key', 'value'].forEach((part, i) => {
        result[`${prefix}${at}.attention.self.${part}.${kind}`] = thirdOf(tensor, i);
      });
    } else if (at !== undefined) {
      if (huggingFaceBlock[own!]) result[`${prefix}${at}.${huggingFaceBlock[own!]}`] = tensor;
    } else {
      const renamed = rest(name);
      if (renamed !== null) result[renamed] = tensor;
    }
  }
  return result;
}

/** `Swinv2Model`, or with `prefix` "swinv2." a classifier. */
export function asHuggingFaceSwin(weights: Weights, prefix: '' | 'swinv2.'): Weights {
  const rest = (name: string): string | null => {
    if (name.startsWith('head.')) return prefix ? name.replace('head.', 'classifier.') : null;
    const renamed = name
      .replace(/^patch_embed\.proj\./, 'embeddings.patch_embeddings.projection.')
      .replace(/^patch_embed\.norm\./, 'embeddings.norm.')
      .replace(/^norm\./, 'layernorm.')
      .replace(/^layers\./, 'encoder.layers.');
    return prefix + renamed;
  };
  return huggingFace(weights, rest, `${prefix}encoder.`);
}

/** The audio side of a whole `ClapModel`. */
export function asClap(weights: Weights): Weights {
  const prefix = 'audio_model.audio_encoder.';
  const rest = (name: string): string | null => {
    if (/^(spectrogram_extractor|logmel_extractor|tscam_conv|head)\./.test(name)) return null;
    return prefix + name.replace(/^bn0\./, 'batch_norm.');
  };
  return {
    ...huggingFace(weights, rest, prefix),
    'audio_projection.linear1.weight': { shape: [1], data: Float32Array.of(1) },
    'text_model.embeddings.word_embeddings.weight': { shape: [1], data: Float32Array.of(1) },
    logit_scale_a: { shape: [1], data: Float32Array.of(1) },
  };
}

export const prefixed = (weights: Weights, prefix: string): Weights => renamed(weights, (name) => prefix + name);

function renamed(weights: Weights, rename: (name: string) => string | null): Weights {
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, tensor]) => {
      const other = rename(name);
      return other === null ? [] : [[other, tensor]];
    }),
  );
}

function thirdOf({ shape, data }: Tensor, index: number): Tensor {
  const step = data.length / 3;
  return { shape: [shape[0]! / 3, ...shape.slice(1)], data: data.slice(index * step, (index + 1) * step) };
}
