/** Compiles an adapter for one backbone to a folder that the hub can serve: meta-tokens and query projections become constants. */
import { contractOf } from '../contract/fits.ts';
import type {
  AdapterGraphs,
  AdapterManifest,
  BackboneManifest,
  GraphFiles,
  Scope,
  Variants,
} from '../contract/manifest.ts';
import { tapShape } from '../contract/taps.ts';
import { isTokens } from '../contract/tokens.ts';
import { type AdapterConfig, clipPart, segmentPart, tapsRead } from '../models/adapter.ts';
import { tokensPerBlock } from '../models/lcd.ts';
import { Params, type Weights } from '../models/params.ts';
import { type Evaluate, Graph, reshape, type Value } from '../ops/index.ts';
import { type Package, withManifest } from './backbone.ts';
import { compileCanary } from './canary.ts';
import { finishManifest } from './package.ts';
import { exactForms, type Forms, variantFiles } from './variants.ts';

export type AdapterSource = {
  id: string;
  version: string;
  license: string;
  config: AdapterConfig;
  /** See the manifest's. */
  thresholds?: readonly number[] | null;
  /** See the manifest's. */
  scope?: Scope | null;
  /** Trained weights, or a seed for noise, which marks the package as untrained. */
  weights: Weights | { seed: number };
  /** How each device gets it. Default: {@link exactForms}. */
  forms?: Forms;
};

export async function compileAdapter(
  source: AdapterSource,
  base: BackboneManifest,
  evaluate: Evaluate,
): Promise<Package<AdapterManifest>> {
  const { config } = source;
  const segment = buildSegment(source, base);
  const clip = buildClip(source);
  const graphs: Record<string, Record<string, Value>> = clip ? { segment, clip } : { segment };
  const { forms = exactForms } = source;
  const compiled = await variantFiles({ graphs, weights: 'adapter_model', forms }, evaluate);
  const { canary, files: canaryFiles } = await compileCanary(graphs, compiled.rounded, evaluate);
  const files = { ...compiled.files, ...canaryFiles };
  const variants = Object.entries<Record<string, GraphFiles>>(compiled.variants).map(
    ([variant, { segment, clip }]): [string, AdapterGraphs] => [variant, { segment: segment!, clip: clip ?? null }],
  );
  const spec = ([name, value]: [string, Value]) => ({ name, shape: [...value.shape] });
  const deliverOf = (name: string): AdapterManifest['segment']['outputs'][number]['deliver'] =>
    clip ? 'clip' : isTokens(name) ? 'familiarity' : 'segment';
  const manifest = await finishManifest(
    {
      schema: 1,
      kind: 'adapter',
      id: source.id,
      version: source.version,
      license: source.license,
      untrained: 'seed' in source.weights,
      requires: { sdk: '>=0.1 <1' },
      canary,
      task: config.task,
      classes: [...config.classes],
      thresholds: source.thresholds ? [...source.thresholds] : null,
      scope: source.scope ?? null,
      familiarity: null,
      calibration: null,
      base: { id: base.id, contract: await contractOf(base) },
      segment: {
        reads: tapsRead(base.taps, config),
        outputs: Object.entries(segment).map((output) => ({ ...spec(output), deliver: deliverOf(output[0]) })),
      },
      clip: clip ? { segments: config.segments, outputs: Object.entries(clip).map(spec) } : null,
      variants: Object.fromEntries(variants) as Variants<AdapterGraphs>,
    },
    files,
  );
  return { manifest, files: withManifest(files, manifest) };
}

/** One second: taps in, as the backbone gives them, and whatever the task is, meta-tokens among what comes out. */
function buildSegment({ config, weights }: AdapterSource, base: BackboneManifest): Record<string, Value> {
  const graph = new Graph();
  const taps = new Map([...base.taps.visual, ...base.taps.audio].map((tap) => [tap.name, tap]));
  const read = (name: string): Value =>
    graph.remember(`tap ${name}`, () => graph.input(name, tapShape(taps.get(name)!)));
  return segmentPart(Params.constants(graph, weights), base.taps, read, config, { tokens: true });
}

/** A window of seconds: tokens [T, K, c] and mask [T] in, and outputs without a batch axis. */
function buildClip({ config, weights }: AdapterSource): Record<string, Value> | null {
  const graph = new Graph();
  const { segments, distill, senses = 'both' } = config;
  const input = (name: string, shape: number[]): Value => reshape(graph.input(name, shape), [1, ...shape]);
  const tokens = (sense: 'audio' | 'visual'): Value | null =>
    senses === 'both' || senses === sense
      ? input(`${sense}Tokens`, [segments, tokensPerBlock(distill), distill.width])
      : null;
  const outputs = clipPart(
    Params.constants(graph, weights),
    { audio: tokens('audio'), visual: tokens('visual'), mask: input('mask', [segments]) },
    config,
  );
  if (!outputs) return null;
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, reshape(value, value.shape.slice(1))]),
  );
}
