/** From solved heads to a package like that of any other adapter: its graphs are those of `models`, with weights that no step of gradient made. */
import { compileAdapter } from '../../compile/adapter.ts';
import { finishManifest, manifestText, withDocuments } from '../../compile/package.ts';
import { senses } from '../../contract/familiar.ts';
import type { AdapterManifest, BackboneManifest, Scope, Sense } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import { writeMeasure } from '../../engine/familiarity.ts';
import type { AdapterConfig } from '../../models/adapter.ts';
import type { Weights } from '../../models/params.ts';
import type { Evaluate } from '../../ops/index.ts';
import { familiarityFile } from '../silence/calibrate.ts';
import type { Head } from './head.ts';
import { stagesOf } from './reader.ts';

/** Share of the seconds of examples that were left out whose answers the measure may cost. */
const mostLost = 0.05;

/** A head reads the last layer of each width, and says of each second what it says of it alone. */
export function lessonConfig(classes: readonly string[], decides: readonly Sense[], width: number): AdapterConfig {
  return {
    task: 'parse',
    classes,
    distill: { tokens: 1, heads: 1, paths: 'none', form: 'absorbed', width, average: 'mean' },
    taps: 'stage-ends',
    senses: decides.length === 2 ? 'both' : decides[0]!,
    segments: 10,
    layers: 0,
    heads: 1,
    channels: 64,
    judge: 'linear',
  };
}

export type PackRequest = {
  id: string;
  license: string;
  scope: Scope;
  classes: readonly string[];
  heads: Partial<Record<Sense, Head>>;
  base: BackboneManifest;
  card: string;
  evaluate: Evaluate;
};

/** Throws what `compileAdapter` throws. */
export async function packLesson(request: PackRequest): Promise<ModelPackage<AdapterManifest>> {
  const { id, license, scope, classes, heads, base, card, evaluate } = request;
  const decides = senses.filter((sense) => heads[sense]);
  const width = Math.max(...decides.map((sense) => heads[sense]!.map.length));
  const config = lessonConfig(classes, decides, width);
  const weights = new Map(decides.flatMap((sense) => [...weightsOf(sense, heads[sense]!, base, config)]));
  const compiled = await compileAdapter({ id, version: '1.0.0', license, config, scope, weights }, base, evaluate);
  const measure = writeMeasure({ audio: padded(heads.audio, width), visual: padded(heads.visual, width) });
  const { 'manifest.json': _, ...graphs } = compiled.files;
  const files = { ...graphs, [familiarityFile]: measure };
  const { files: __, ...draft } = compiled.manifest;
  const familiarity = { file: familiarityFile, least: mostLost };
  const documents = { 'README.md': new TextEncoder().encode(card) };
  const manifest = await withDocuments(await finishManifest({ ...draft, familiarity }, files), documents);
  const text = new TextEncoder().encode(manifestText(manifest));
  return { manifest, files: { ...files, ...documents, 'manifest.json': text } };
}

/** A token that is narrower than the other sense's has zeros behind. */
function padded(head: Head | undefined, width: number): Head['measure'] | null {
  if (!head) return null;
  const { mean, map, levels } = head.measure;
  const columns = map.length / mean.length;
  const wide = new Float32Array(width * columns);
  wide.set(map);
  const wideMean = new Float32Array(width);
  wideMean.set(mean);
  return { mean: wideMean, map: wide, levels };
}

/** By the names of `segmentPart` and `clipPart`. Layers of one width share a map, and what all layers give is averaged. */
function weightsOf(sense: Sense, head: Head, base: BackboneManifest, config: AdapterConfig): Weights {
  const weights = new Map<string, Float32Array>();
  const stages = stagesOf(base.taps[sense], config);
  const layers = [...stages.values()].reduce((sum, taps) => sum + taps.length, 0);
  const { width } = config.distill;
  const offset = head.map.map((row) => -row.reduce((sum, x, i) => sum + x * head.mean[i]!, 0));
  let from = 0;
  for (const [size, taps] of stages) {
    const own = `lcd.${sense}.stage${size}`;
    const map = new Float32Array(width * size);
    head.map.forEach((row, k) => {
      for (let i = 0; i < size; i++) map[k * size + i] = layers * row[from + i]!;
    });
    const bias = new Float32Array(width);
    if (from === 0) bias.set(offset.map((x) => (layers * x) / taps.length));
    weights.set(`${own}.weight`, map).set(`${own}.bias`, bias);
    for (const { name } of taps) {
      const layer = `lcd.${sense}.${name.startsWith(`${sense}.`) ? name.slice(sense.length + 1) : name}.norm`;
      weights.set(`${layer}.weight`, new Float32Array(size).fill(1)).set(`${layer}.bias`, new Float32Array(size));
    }
    from += size;
  }
  const classifier = new Float32Array(config.classes.length * width);
  head.weights.forEach((row, event) => void classifier.set(row, event * width));
  return weights
    .set(`${sense}.classifier.weight`, classifier)
    .set(`${sense}.classifier.bias`, Float32Array.from(head.bias));
}
