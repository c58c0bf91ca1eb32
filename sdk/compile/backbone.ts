/** Compiles a preset's networks to a folder that the hub can serve. */
import type { BackboneManifest, Tap } from '../hub/manifest.ts';
import { finishManifest, manifestText } from '../hub/package.ts';
import { backboneTaps, type Modality, type NamedTap } from '../models/backbone.ts';
import { Params, type Weights } from '../models/params.ts';
import { type PresetName, presets } from '../models/presets.ts';
import type { Evaluate } from '../ops/index.ts';
import { type Files, graphFiles } from './graph-files.ts';

export type BackboneSource = {
  id: string;
  version: string;
  license: string;
  preset: PresetName;
  /** Trained weights by modality, or a seed for noise, which marks the package as untrained. */
  weights: Record<Modality, Weights> | { seed: number };
};

/** A finished package: its manifest, and every file of it, `manifest.json` included. */
export type Package<M> = { manifest: M; files: Files };

export async function compileBackbone(source: BackboneSource, evaluate: Evaluate): Promise<Package<BackboneManifest>> {
  const preset = presets[source.preset];
  const { weights } = source;
  const taps = (modality: Modality): NamedTap[] =>
    backboneTaps(preset, modality, (graph) => Params.constants(graph, 'seed' in weights ? weights : weights[modality]));
  const [visual, audio] = [taps('visual'), taps('audio')];
  const compile = (modality: Modality, of: NamedTap[]) =>
    graphFiles(
      { [modality]: Object.fromEntries(of.map((tap) => [tap.name, tap.value])) },
      `${modality}.safetensors`,
      evaluate,
    );
  const compiled = { visual: await compile('visual', visual), audio: await compile('audio', audio) };
  const files = { ...compiled.visual.files, ...compiled.audio.files };
  const graphs = { visual: compiled.visual.graphs.visual!, audio: compiled.audio.graphs.audio! };
  const spec = ({ name, tokens, width, grid }: NamedTap): Tap => ({ name, tokens, width, grid });
  const manifest = await finishManifest(
    {
      schema: 1,
      kind: 'backbone',
      id: source.id,
      version: source.version,
      license: source.license,
      untrained: 'seed' in weights,
      requires: { sdk: '>=0.1 <1' },
      inputs: { visual: preset.visual.frontEnd, audio: preset.audio.frontEnd },
      taps: { visual: visual.map(spec), audio: audio.map(spec) },
      variants: { webgpu: graphs, wasm: graphs },
    },
    files,
  );
  return { manifest, files: withManifest(files, manifest) };
}

export const withManifest = (files: Files, manifest: Parameters<typeof manifestText>[0]): Files => ({
  ...files,
  'manifest.json': new TextEncoder().encode(manifestText(manifest)),
});
