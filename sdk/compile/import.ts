/**
 * Compiles a published checkpoint to a backbone package without holding it in memory: each tensor is read, brought into the form that the graph wants, written
 * at its place, and dropped.
 */
import { MettleError } from '../errors.ts';
import type { BackboneManifest, FileEntry, LogMelFrontEnd } from '../hub/manifest.ts';
import { manifestText } from '../hub/package.ts';
import { parseManifest } from '../hub/parse-manifest.ts';
import { backboneTaps } from '../models/backbone.ts';
import { type Accounting, checkAccounting } from '../models/checkpoints/account.ts';
import { type ParamSpec, Params } from '../models/params.ts';
import type { BackbonePreset } from '../models/presets.ts';
import type { Checkpoint } from '../onnx/checkpoint/checkpoint.ts';
import { type Evaluate, sizeOf } from '../ops/index.ts';
import { specOf } from './backbone.ts';
import { weightsChunks } from './graph-files.ts';
import { exactForms, type Forms, planVariants } from './variants.ts';

export type ImportSource = {
  id: string;
  version: string;
  license: string;
  preset: BackbonePreset;
  /** What the preset is called in errors. */
  presetName: string;
  /** What the checkpoint is called in errors. */
  where: string;
  checkpoint: Checkpoint;
  /** Of this checkpoint and this preset. */
  accounting: Accounting;
  /** How each device gets it; of several forms each reads the checkpoint anew. Default: {@link exactForms}. */
  forms?: Forms;
};

/** Writes a file of the package, chunk by chunk, and tells its size and digest. */
export type WriteFile = (path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => Promise<FileEntry>;

/**
 * Writes graph, weights and manifest.json. `onBytes` is told how much of the checkpoint was read, out of `importBytes`.
 * Throws `incompatible` that names the tensors which do not fit, or `invalid-file` where a weight is no finite number.
 */
export async function importBackbone(
  source: ImportSource,
  evaluate: Evaluate,
  write: WriteFile,
  { signal, onBytes }: { signal?: AbortSignal; onBytes?: (read: number) => void } = {},
): Promise<BackboneManifest> {
  const { accounting, where } = source;
  const preset = withFrontEnd(source.preset, accounting.style.frontEnd);
  checkAccounting(accounting, preset, source.presetName, where);
  const reader = new WeightsReader(source, signal, onBytes);
  const taps = backboneTaps(preset, (graph) => Params.deferred(graph, (spec) => reader.read(spec)));
  const { modality } = preset;
  const outputs = Object.fromEntries(taps.map((tap) => [tap.name, tap.value]));
  const { forms = exactForms } = source;
  const { variants, plans } = await planVariants(
    { graphs: { [modality]: outputs }, weights: modality, forms },
    evaluate,
  );

  const files: FileEntry[] = [];
  for (const plan of plans) {
    for (const [path, bytes] of Object.entries(plan.files)) files.push(await write(path, [bytes]));
    files.push(await write(plan.weights.path, weightsChunks(plan)));
  }
  const none = { visual: null, audio: null };
  const draft = {
    schema: 1,
    kind: 'backbone',
    id: source.id,
    version: source.version,
    license: source.license,
    untrained: false,
    requires: { sdk: '>=0.1 <1' },
    // It would need a run of the whole network, whose weights are never all in memory here.
    canary: null,
    inputs: { ...none, [modality]: preset.frontEnd },
    taps: { visual: [], audio: [], [modality]: taps.map(specOf) },
    variants: Object.fromEntries(
      Object.entries(variants).map(([variant, graphs]) => [variant, { ...none, ...graphs }]),
    ),
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const manifest = parseManifest(draft, `manifest of backbone "${source.id}"`) as BackboneManifest;
  await write('manifest.json', [new TextEncoder().encode(manifestText(manifest))]);
  return manifest;
}

/** Bytes of a checkpoint that an import reads. */
export function importBytes({ sources }: Accounting, { tensors }: Checkpoint): number {
  return [...sources.values()].flat().reduce((sum, name) => sum + (tensors.get(name)?.bytes ?? 0), 0);
}

/** The preset as these weights want it fed. */
export function withFrontEnd(preset: BackbonePreset, changes: Partial<LogMelFrontEnd> = {}): BackbonePreset {
  return preset.modality === 'audio' ? { ...preset, frontEnd: { ...preset.frontEnd, ...changes } } : preset;
}

/** Parameters from the tensors that make them. */
class WeightsReader {
  readonly #source: ImportSource;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: ((read: number) => void) | undefined;
  /** Some are read twice; they count once. */
  readonly #counted = new Set<string>();
  #bytes = 0;

  constructor(source: ImportSource, signal?: AbortSignal, onBytes?: (read: number) => void) {
    this.#source = source;
    this.#signal = signal;
    this.#onBytes = onBytes;
  }

  async read({ name, shape }: ParamSpec): Promise<Float32Array> {
    const names = this.#source.accounting.sources.get(name)!;
    if (names.length === 1) return await this.#tensor(names[0]!);
    const joined = new Float32Array(sizeOf(shape));
    let at = 0;
    for (const part of names) {
      const numbers = await this.#tensor(part);
      joined.set(numbers, at);
      at += numbers.length;
    }
    return joined;
  }

  async #tensor(name: string): Promise<Float32Array> {
    this.#signal?.throwIfAborted();
    const tensor = this.#source.checkpoint.tensors.get(name)!;
    const numbers = await tensor.read();
    for (const x of numbers) {
      if (Number.isFinite(x)) continue;
      throw new MettleError(
        'invalid-file',
        `${this.#source.where}: tensor "${name}" holds ${x}, expected finite numbers.`,
        {
          hint: 'The training of these weights failed, or they do not fit into float32.',
        },
      );
    }
    if (!this.#counted.has(name)) this.#bytes += tensor.bytes;
    this.#counted.add(name);
    this.#onBytes?.(this.#bytes);
    return numbers;
  }
}
