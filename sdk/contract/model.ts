/** A model between those who fetch it and those who run it: its forms, its bytes, and the arrays that it gives. */
import type { AdapterManifest, BackboneManifest } from './manifest.ts';

/**
 * Which compiled form of a model is run. A CPU runs the `wasm` form, CUDA the `webgpu` form, and a GPU of a page that has `shader-f16` the `webgpu-f16` form of the
 * models that have one.
 */
export type VariantName = 'webgpu' | 'webgpu-f16' | 'wasm';

/** A model whose every byte was checked against its manifest. */
export type ModelPackage<M extends BackboneManifest | AdapterManifest> = {
  /** What the files are. */
  manifest: M;
  /** Bytes by the path that the manifest gives them. */
  files: Record<string, Uint8Array<ArrayBuffer>>;
};

export type NamedArray = { shape: number[]; data: Float32Array<ArrayBuffer> };

/** The outputs of one adapter, by the names in its manifest. */
export type AdapterOutputs = Record<string, NamedArray>;
