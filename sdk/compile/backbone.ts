/** Compiles presets' networks to a folder that the hub can serve: one of each sense, or of one. */

import type { BackboneManifest, Integrity, Tap } from '../contract/manifest.ts';
import type { VariantName } from '../contract/model.ts';
import { MettleError } from '../errors.ts';
import { backboneParams, backboneTaps, type Modality, modalities, type NamedTap } from '../models/backbone.ts';
import { dataOf, Params, type Weights } from '../models/params.ts';
import { type BackbonePreset, type PresetName, presets } from '../models/presets.ts';
import type { Evaluate } from '../ops/index.ts';
import { compileCanary, type Outputs } from './canary.ts';
import type { Files } from './graph-files.ts';
import { NetworkDigest } from './network-digest.ts';
import { backboneDraft, finishManifest, manifestText } from './package.ts';
import { type Calibrate, exactForms, type Forms, variantFiles } from './variants.ts';

export type BackboneSource = {
  id: string;
  version: string;
  license: string;
  /** One preset, or two of different senses. */
  presets: readonly PresetName[];
  /** Trained weights of each sense, or a seed for noise, which marks the package as untrained. */
  weights: Partial<Record<Modality, Weights>> | { seed: number };
  /** How each device gets it. Default: {@link exactForms}. */
  forms?: Forms;
  calibrate?: Calibrate;
};

/** A finished package: its manifest, and every file of it, `manifest.json` included. */
export type Package<M> = { manifest: M; files: Files };

/** Throws `invalid-argument` for two presets of one sense, or none. */
export async function compileBackbone(source: BackboneSource, evaluate: Evaluate): Promise<Package<BackboneManifest>> {
  const { weights } = source;
  const chosen = bySense(source.presets);
  const draft = backboneDraft(source, {
    untrained: 'seed' in weights,
    canary: null,
    inputs: { visual: chosen.visual?.frontEnd ?? null, audio: chosen.audio?.frontEnd ?? null },
    networks: { visual: null, audio: null },
    taps: { visual: [], audio: [] },
    variants: {} as BackboneManifest['variants'],
  });
  const files: Files = {};
  const lastTaps: Outputs = {};
  const rounded: Outputs[] = [];
  const forms = source.forms ?? exactForms;
  const variantNames = Object.keys(forms) as VariantName[];
  for (const variant of variantNames) draft.variants[variant] = { visual: null, audio: null };
  for (const modality of modalities) {
    const preset = chosen[modality];
    if (!preset) continue;
    const own = 'seed' in weights ? weights : (weights[modality] ?? new Map());
    const taps = backboneTaps(preset, (graph) => Params.constants(graph, own));
    const outputs = Object.fromEntries(taps.map((tap) => [tap.name, tap.value]));
    const { calibrate } = source;
    const compiled = await variantFiles(
      { graphs: { [modality]: outputs }, weights: modality, forms, calibrate },
      evaluate,
    );
    Object.assign(files, compiled.files);
    const last = taps.at(-1)!;
    lastTaps[modality] = { [last.name]: last.value };
    compiled.rounded.forEach((graphs, form) => {
      rounded[form] = { ...rounded[form], [modality]: { [last.name]: graphs[modality]![last.name]! } };
    });
    draft.networks[modality] = await digestOf(preset, own);
    draft.taps[modality] = taps.map(specOf);
    for (const variant of variantNames) draft.variants[variant]![modality] = compiled.variants[variant]![modality]!;
  }
  const { canary, files: canaryFiles } = await compileCanary(lastTaps, rounded, evaluate);
  Object.assign(files, canaryFiles);
  const manifest = await finishManifest({ ...draft, canary }, files);
  return { manifest, files: withManifest(files, manifest) };
}

async function digestOf(preset: BackbonePreset, weights: Weights | { seed: number }): Promise<Integrity> {
  const digest = new NetworkDigest();
  for (const spec of backboneParams(preset).values()) await digest.add(spec.name, dataOf(spec, weights));
  return await digest.finish();
}

export const specOf = ({ name, layout, tokens, width, grid }: NamedTap): Tap => ({ name, layout, tokens, width, grid });

function bySense(names: readonly PresetName[]): {
  visual?: Extract<BackbonePreset, { modality: 'visual' }>;
  audio?: Extract<BackbonePreset, { modality: 'audio' }>;
} {
  const found = names.map((name): BackbonePreset => presets[name]);
  const visual = found.filter((preset) => preset.modality === 'visual');
  const audio = found.filter((preset) => preset.modality === 'audio');
  if (names.length > 0 && visual.length <= 1 && audio.length <= 1) return { visual: visual[0], audio: audio[0] };
  throw new MettleError(
    'invalid-argument',
    `A backbone has at most one network per sense and at least one; got ${names.join(', ') || 'none'}.`,
    { hint: 'Name one preset for pictures, one for sounds, or one of each.' },
  );
}

export const withManifest = (files: Files, manifest: Parameters<typeof manifestText>[0]): Files => ({
  ...files,
  'manifest.json': new TextEncoder().encode(manifestText(manifest)),
});
