/** Gives a finished adapter a border head: a graph of its own with weights of its own, beside the others, which stay as they are to the byte. */
import { bordersOutput } from '../contract/borders.ts';
import type { AdapterGraphs, AdapterManifest, BackboneManifest, Variants } from '../contract/manifest.ts';
import type { ModelPackage } from '../contract/model.ts';
import type { Ort } from '../contract/runtime.ts';
import { tapShape } from '../contract/taps.ts';
import { MettleError } from '../errors.ts';
import { borders, borderTaps } from '../models/borders.ts';
import { Params, type Weights } from '../models/params.ts';
import { Graph, type Value } from '../ops/index.ts';
import { type Package, withManifest } from './backbone.ts';
import { compileCanary, mergedCanary } from './canary.ts';
import { evaluate } from './evaluate.ts';
import type { Files } from './graph-files.ts';
import { finishManifest } from './package.ts';
import { type Forms, smallForms, variantFiles } from './variants.ts';

/** Files that are not the model's own numbers; whoever saves the package writes them anew. */
const isDocument = (path: string): boolean => /\.(md|json)$/.test(path);

/**
 * The package with a head of these weights, in place of the one that it has, if any; every file of the adapter must be given. Throws `invalid-argument` where nothing of the
 * backbone is finer than a second.
 */
export async function withBorderHead(
  { manifest, files }: ModelPackage<AdapterManifest>,
  base: BackboneManifest,
  weights: Weights,
  ort: Ort,
): Promise<Package<AdapterManifest>> {
  const fine = borderTaps(base.taps.audio, base.inputs.audio);
  if (!fine) throw noFineTaps(base.id);
  const { classes } = manifest;
  const graph = new Graph();
  const read = new Map(fine.taps.map((tap) => [tap.name, graph.input(tap.name, tapShape(tap))]));
  const said = borders(Params.constants(graph, weights), fine, (name) => read.get(name)!, classes.length);
  const graphs: Record<string, Record<string, Value>> = { borders: { [bordersOutput]: said } };
  const halves = manifest.variants['webgpu-f16'] && { 'webgpu-f16': smallForms.webgpu };
  const forms: Forms = { ...smallForms, ...halves };
  const run = (values: Record<string, Value>) => evaluate(ort, values);
  const compiled = await variantFiles({ graphs, weights: 'borders', forms }, run);
  const own = await compileCanary(graphs, compiled.rounded, run);
  const kept: Files = {};
  const before = new Set(
    Object.values<AdapterGraphs>(manifest.variants).flatMap(({ borders: old }) =>
      old ? [old.graph, old.weights] : [],
    ),
  );
  for (const { path } of manifest.files) if (!isDocument(path) && !before.has(path)) kept[path] = files[path]!;
  const whole: Files = { ...kept, ...compiled.files };
  const { canary } = manifest;
  if (canary && own.canary) whole[canary.file] = mergedCanary(files[canary.file]!, own.files[own.canary.file]!);
  const variants = Object.entries<AdapterGraphs>(manifest.variants).map(([name, graphsOf]) => [
    name,
    { ...graphsOf, borders: compiled.variants[name as keyof typeof compiled.variants]!.borders! },
  ]);
  const { files: _, ...draft } = manifest;
  const finished = await finishManifest(
    {
      ...draft,
      canary: canary && own.canary ? { ...canary, rtol: Math.max(canary.rtol, own.canary.rtol) } : canary,
      borders: { reads: fine.taps.map(({ name }) => name), steps: fine.steps },
      variants: Object.fromEntries(variants) as Variants<AdapterGraphs>,
    },
    whole,
  );
  return { manifest: finished, files: withManifest(whole, finished) };
}

export const noFineTaps = (id: string): MettleError =>
  new MettleError('invalid-argument', `No audio tap of backbone "${id}" tells parts of a second apart.`, {
    hint: 'Its adapters tell whole seconds.',
  });
