/** Which compiled form of a model a device runs, and which files that form needs. */
import type { AdapterManifest, BackboneManifest, GraphFiles } from '../hub/manifest.ts';
import type { Device, ModelPackage, VariantName } from './types.ts';

export type AnyManifest = BackboneManifest | AdapterManifest;

/** The form that `device` runs: a CPU runs the `wasm` form. */
export function variantOf(device: Device): VariantName {
  return device === 'webgpu' ? 'webgpu' : 'wasm';
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

/** Paths of the variant that the package does not hold. */
export function missingFiles(model: ModelPackage<AnyManifest>, variant: VariantName): string[] {
  const paths = graphsOf(model.manifest, variant).flatMap(({ graph, weights }) => [graph, weights]);
  return [...new Set(paths)].filter((path) => !model.files[path]);
}
