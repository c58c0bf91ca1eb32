/** What a run keeps of each second for an adapter's clip graph, and what that graph makes of it: of a whole clip, or of the newest second of a running source. */
import { attentionOutputs } from '../contract/attention.ts';
import { bordersOutput } from '../contract/borders.ts';
import { familiarityOutput } from '../contract/familiar.ts';
import { limits } from '../contract/limits.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs, NamedArray } from '../contract/model.ts';
import { MettleError } from '../errors.ts';
import { sizeOf, stacked } from './arrays.ts';
import type { LoadedModels } from './models.ts';
import type { RecentLooks } from './recent.ts';
import { stackWindow, WindowAverage, windowMask, windowStarts } from './windows.ts';

/** By output name, no rows yet. */
export function emptyTokens(manifest: AdapterManifest): Map<string, Float32Array[]> {
  const kept = manifest.segment.outputs.filter((output) => output.deliver === 'clip');
  return new Map(kept.map((output) => [output.name, []]));
}

/** Throws `incompatible` where a clip of so many seconds makes an adapter keep more than there is room for. */
export function checkKept({ id, segment, clip }: AdapterManifest, segments: number): void {
  if (!clip) return;
  const kept = segment.outputs.filter(({ deliver }) => deliver === 'clip').map(({ shape }) => sizeOf(shape));
  const given = clip.outputs.map(({ shape }) => sizeOf(shape.slice(1)));
  const numbers = segments * [...kept, ...given].reduce((sum, size) => sum + size, 0);
  if (numbers <= limits.clipElements) return;
  throw new MettleError(
    'incompatible',
    `Adapter "${id}" keeps ${numbers} numbers of ${segments} seconds, expected at most ${limits.clipElements}.`,
    { hint: 'Analyze the clip in parts, or take a smaller adapter.' },
  );
}

/** Moves the outputs for the clip graph to `tokens` and returns those for the caller. */
export function keepTokens(
  manifest: AdapterManifest,
  outputs: AdapterOutputs,
  tokens: Map<string, Float32Array[]>,
): AdapterOutputs {
  const delivered: AdapterOutputs = {};
  for (const { name, deliver } of manifest.segment.outputs) {
    if (deliver === 'clip') tokens.get(name)!.push(outputs[name]!.data);
    else if (deliver === 'segment') delivered[name] = outputs[name]!;
  }
  const familiarity = outputs[familiarityOutput];
  if (familiarity && manifest.familiarity) delivered[familiarityOutput] = familiarity;
  const borders = outputs[bordersOutput];
  if (borders && manifest.borders) delivered[bordersOutput] = borders;
  return { ...delivered, ...attentionOutputs(outputs) };
}

/** The clip graph over all seconds of a run, in windows, [segments, ...] each. */
export async function clipOutputs(
  models: LoadedModels,
  key: string,
  segments: number,
  tokens: Map<string, Float32Array[]>,
): Promise<AdapterOutputs> {
  const manifest = models.manifestOf(key);
  if (!manifest.clip) return {};
  const { segments: size, outputs: specs } = manifest.clip;
  const averages = new Map(
    specs.map(({ name, shape }) => [name, new WindowAverage(segments, size, sizeOf(shape.slice(1)))]),
  );
  for (const start of windowStarts(segments, size)) {
    const inputs: Record<string, NamedArray> = {
      mask: { shape: [size], data: windowMask(segments, start, size) },
    };
    for (const { name, shape } of manifest.segment.outputs) {
      const rows = tokens.get(name);
      if (rows) inputs[name] = stacked(size, shape, stackWindow(rows, start, size, sizeOf(shape)));
    }
    const outputs = await models.clip(key, inputs);
    for (const [name, average] of averages) average.add(start, outputs[name]!.data);
  }
  return Object.fromEntries(
    specs.map(({ name, shape }) => [name, stacked(segments, shape, averages.get(name)!.rows())]),
  );
}

/** Of the clip graph over the looks that lie behind, its last row: what it says of the newest second. */
export async function newestOutputs(models: LoadedModels, key: string, looks: RecentLooks): Promise<AdapterOutputs> {
  const { segment, clip } = models.manifestOf(key);
  if (!clip) return {};
  const { segments: size } = clip;
  const inputs: Record<string, NamedArray> = {};
  let seconds = 0;
  for (const { name, shape, deliver } of segment.outputs) {
    if (deliver !== 'clip') continue;
    const rows = looks.window(name, size);
    seconds = rows.length;
    inputs[name] = stacked(size, shape, stackWindow(rows, 0, size, sizeOf(shape)));
  }
  inputs.mask = { shape: [size], data: windowMask(seconds, 0, size) };
  const outputs = await models.clip(key, inputs);
  return Object.fromEntries(
    clip.outputs.map(({ name, shape }) => {
      const width = sizeOf(shape.slice(1));
      const row = outputs[name]!.data.slice((seconds - 1) * width, seconds * width);
      return [name, stacked(1, shape, row)];
    }),
  );
}
