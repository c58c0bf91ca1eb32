/** What a checkpoint's tensors tell about the size of its network, and which presets are of that size. */
import type { Checkpoint } from '../../onnx/checkpoint/types.ts';
import { type BackbonePreset, type PresetName, presets } from '../presets.ts';
import type { Network } from './key-styles.ts';
import type { Buffer } from './rules.ts';

export type Sizes = {
  width: number;
  depths: number[];
  heads: number[];
  /** Side of the first stage's window; undefined where the file does not tell. */
  window?: number;
  /** The window that Swin-V2's offsets are measured by; undefined where the file does not tell. */
  measuredBy?: number;
};

/** A tensor of the file with its name in our style, and the table that it is, if it is one. */
export type Named = { name: string; source: string; shape: readonly number[]; buffer?: Buffer };

export async function sizesOf(tensors: readonly Named[], checkpoint: Checkpoint): Promise<Sizes> {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const depths: number[] = [];
  const heads: number[] = [];
  for (const { name } of tensors) {
    const [, stage, block] = /^layers\.(\d{1,2})\.blocks\.(\d{1,3})\./.exec(name) ?? [];
    if (stage !== undefined) depths[Number(stage)] = Math.max(depths[Number(stage)] ?? 0, Number(block) + 1);
  }
  for (const stage of depths.keys()) {
    const attention = `layers.${stage}.blocks.0.attn.`;
    const scale = byName.get(`${attention}logit_scale`)?.shape[0];
    heads.push(scale ?? byName.get(`${attention}relative_position_bias_table`)?.shape[1] ?? 0);
  }
  return {
    width: byName.get('patch_embed.proj.weight')?.shape[0] ?? 0,
    depths: Array.from(depths, (depth) => depth ?? 0),
    heads,
    ...(await windowsOf(byName, checkpoint)),
  };
}

async function windowsOf(
  byName: ReadonlyMap<string, Named>,
  { tensors }: Checkpoint,
): Promise<Pick<Sizes, 'window' | 'measuredBy'>> {
  const attention = 'layers.0.blocks.0.attn.';
  const pairs = byName.get(`${attention}relative_position_index`)?.shape[0];
  const rows = byName.get(`${attention}relative_position_bias_table`)?.shape[0];
  const window = pairs !== undefined ? Math.sqrt(pairs) : rows !== undefined ? (Math.sqrt(rows) + 1) / 2 : undefined;
  const table = byName.get(`${attention}relative_coords_table`);
  if (window === undefined || !Number.isInteger(window) || !table || table.shape.join() !== offsetsShape(window)) {
    return Number.isInteger(window) ? { window: window! } : {};
  }
  // Its largest number is log2(1 + 8 (window - 1) / (measuredBy - 1)) / 3.
  const largest = (await tensors.get(table.source)!.read()).reduce((top, x) => Math.max(top, x), 0);
  const measuredBy = 1 + Math.round((8 * (window - 1)) / (2 ** (3 * largest) - 1));
  return { window, ...(Number.isSafeInteger(measuredBy) && { measuredBy }) };
}

const offsetsShape = (window: number): string => [1, 2 * window - 1, 2 * window - 1, 2].join();

/** Whether a network of these sizes is the preset's. What the file does not tell is no difference. */
export function isOfSize(sizes: Sizes, { modality, network }: BackbonePreset): boolean {
  const known = (size: number | undefined, expected: number): boolean => size === undefined || size === expected;
  const measuredBy = modality === 'visual' ? network.pretrainedWindows?.[0] || network.window : network.window;
  return (
    sizes.width === network.width &&
    sizes.depths.join() === network.depths.join() &&
    sizes.heads.join() === network.heads.join() &&
    known(sizes.window, network.window) &&
    known(sizes.measuredBy, measuredBy)
  );
}

export const networkOf = ({ modality }: BackbonePreset): Network => (modality === 'visual' ? 'swin-v2' : 'hts-at');

/** Presets that a file of these sizes may be imported with. */
export function presetsOfSize(sizes: Sizes, network: Network): PresetName[] {
  return (Object.keys(presets) as PresetName[]).filter(
    (name) => networkOf(presets[name]) === network && isOfSize(sizes, presets[name]),
  );
}

/** `width 96, depths 2-2-6-2, heads 3-6-12-24, window 8`. */
export function sizesText({ width, depths, heads, window, measuredBy }: Sizes): string {
  const from = measuredBy !== undefined && measuredBy !== window ? ` (measured by ${measuredBy})` : '';
  const windowText = window === undefined ? '' : `, window ${window}${from}`;
  return `width ${width}, depths ${depths.join('-')}, heads ${heads.join('-')}${windowText}`;
}

export function presetSizes({ modality, network }: BackbonePreset): Sizes {
  const { width, depths, heads, window } = network;
  const measuredBy = (modality === 'visual' && network.pretrainedWindows?.[0]) || window;
  return { width, depths: [...depths], heads: [...heads], window, measuredBy };
}
