/** Which of a model's variants stands for the one that is asked for. */

import type { Manifest, Variants } from './manifest.ts';
import type { VariantName } from './model.ts';

/** A model without a `webgpu-f16` variant gives its `webgpu` variant in its place, so that models with and without one go together. */
export function heldVariant<T>(variants: Variants<T>, name: VariantName): T {
  return variants[name] ?? variants.webgpu;
}

/** Whether any of the models has graphs of its own for GPUs with half precision. */
export function anyHalf(manifests: readonly Manifest[]): boolean {
  return manifests.some(({ variants }) => variants['webgpu-f16'] !== undefined);
}
