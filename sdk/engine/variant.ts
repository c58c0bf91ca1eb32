/** Which compiled form of a model a device runs, and which files that form needs. */
import type { AdapterManifest, BackboneManifest, GraphFiles } from '../hub/manifest.ts';
import { canariesOf } from '../hub/pair.ts';
import type { Device, ModelPackage, VariantName } from './types.ts';

export type AnyManifest = BackboneManifest | AdapterManifest;

/** The form that `device` runs: GPUs the `webgpu` form, a CPU the `wasm` form. */
export function variantOf(device: Device): VariantName {
  return device === 'webgpu' || device === 'cuda' ? 'webgpu' : 'wasm';
}

/** Every graph of one variant with the weights that its initializers lie in. */
export function graphsOf(manifest: AnyManifest, variant: VariantName): GraphFiles[] {
  if (manifest.kind === 'backbone') {
    const { visual, audio } = manifest.variants[variant];
    return [visual, audio].filter((graph) => graph !== null);
  }
  const { segment, clip } = manifest.variants[variant];
  return clip ? [segment, clip] : [segment];
}

/** Paths of the variant, and of the canary, that the package does not hold. */
export function missingFiles(model: ModelPackage<AnyManifest>, variant: VariantName): string[] {
  const { manifest } = model;
  const paths = graphsOf(manifest, variant).flatMap(({ graph, weights }) => [graph, weights]);
  if (manifest.kind === 'backbone') paths.push(...canariesOf(manifest).map(({ canary }) => canary.file));
  else if (manifest.canary) paths.push(manifest.canary.file);
  return [...new Set(paths)].filter((path) => !model.files[path]);
}
