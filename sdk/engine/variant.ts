/** Which compiled form of a model a device runs, and which files that form needs. */

import type { Device } from '../contract/device.ts';
import { anyHalf, heldVariant } from '../contract/held-variant.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles } from '../contract/manifest.ts';
import type { ModelPackage, VariantName } from '../contract/model.ts';
import { canariesOf } from '../contract/pair.ts';
import type { Runtime } from '../contract/runtime.ts';

export type AnyManifest = BackboneManifest | AdapterManifest;

/** The form that `device` runs whatever it can: GPUs the `webgpu` form, a CPU the `wasm` form. */
export function variantOf(device: Device): VariantName {
  return device === 'webgpu' || device === 'cuda' ? 'webgpu' : 'wasm';
}

/** What is known of a device before, or after, its runtime is there. */
export type DeviceKind = Pick<Runtime, 'device' | 'half'>;

/** The form of these models that a device runs, and why, where there is a choice. */
export function chooseVariant(
  { device, half }: DeviceKind,
  manifests: readonly AnyManifest[],
): { variant: VariantName; why: string[] } {
  if (device !== 'webgpu' || !anyHalf(manifests)) return { variant: variantOf(device), why: [] };
  if (half) return { variant: 'webgpu-f16', why: ['Half precision, because the GPU has shader-f16.'] };
  const reason =
    half === undefined ? 'it cannot be known here whether the GPU has shader-f16' : 'the GPU lacks shader-f16';
  return { variant: 'webgpu', why: [`No half precision, because ${reason}.`] };
}

/** Every graph of one variant with the weights that its initializers lie in. */
export function graphsOf(manifest: AnyManifest, variant: VariantName): GraphFiles[] {
  if (manifest.kind === 'backbone') {
    const { visual, audio } = heldVariant(manifest.variants, variant);
    return [visual, audio].filter((graph) => graph !== null);
  }
  const { segment, clip, borders } = heldVariant(manifest.variants, variant);
  return [segment, ...(clip ? [clip] : []), ...(borders ? [borders] : [])];
}

/** Paths of the variant, and of the canary, that the package does not hold. */
export function missingFiles(model: ModelPackage<AnyManifest>, variant: VariantName): string[] {
  const { manifest } = model;
  const paths = graphsOf(manifest, variant).flatMap(({ graph, weights }) => [graph, weights]);
  if (manifest.kind === 'backbone') paths.push(...canariesOf(manifest).map(({ canary }) => canary.file));
  else {
    if (manifest.canary) paths.push(manifest.canary.file);
    if (manifest.familiarity) paths.push(manifest.familiarity.file);
  }
  return [...new Set(paths)].filter((path) => !model.files[path]);
}
