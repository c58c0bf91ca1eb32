/**
 * Compiles published checkpoints to a backbone package without holding them in memory: each tensor is read, brought into the form that the graph wants, written
 * at its place, and dropped. Networks that are small enough are then run once, for the canary.
 */

import type { BackboneGraphs, BackboneManifest, FileEntry, LogMelFrontEnd } from '../contract/manifest.ts';
import {
  callback,
  checkArgument,
  checkOptions,
  flag,
  type Rules,
  record,
  signal as signalRule,
} from '../contract/options.ts';
import { parseManifest } from '../contract/parse-manifest.ts';
import { callersOwn, throughDoor } from '../door.ts';
import { MettleError } from '../errors.ts';
import { backboneTaps } from '../models/backbone.ts';
import { type Accounting, checkAccounting } from '../models/checkpoints/account.ts';
import { type ParamSpec, Params } from '../models/params.ts';
import type { BackbonePreset } from '../models/presets.ts';
import type { Checkpoint, CheckpointTensor } from '../onnx/checkpoint/types.ts';
import { type Evaluate, sizeOf } from '../ops/index.ts';
import { specOf } from './backbone.ts';
import { compileCanary, type Outputs } from './canary.ts';
import { weightsChunks } from './graph-files.ts';
import { NetworkDigest } from './network-digest.ts';
import { backboneDraft, manifestText, withDocuments } from './package.ts';
import { exactForms, type Forms, planVariants } from './variants.ts';

/** The weights of one sense. */
export type ImportPart = {
  /** The network that they are for. */
  preset: BackbonePreset;
  /** What the preset is called in errors. */
  presetName: string;
  /** What the checkpoint is called in errors. */
  where: string;
  /** Where they are. */
  checkpoint: Checkpoint;
  /** Of this checkpoint and this preset. */
  accounting: Accounting;
};

/** What becomes a backbone. */
export type ImportSource = {
  /** Of the new package. */
  id: string;
  /** Of the new package, such as `1.0.0`. */
  version: string;
  /** SPDX id or a sentence, for its manifest. */
  license: string;
  /** One, or two of different senses. */
  parts: readonly ImportPart[];
  /** How each device gets it; of several forms each reads the checkpoint anew. Default: float32 on every device. */
  forms?: Forms;
};

/** Writes a file of the package, chunk by chunk, and tells its size and digest. */
export type WriteFile = (path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => Promise<FileEntry>;

/** How a backbone is written. */
export type ImportOptions = {
  /** Ends the import: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Told how many bytes of the checkpoints were read so far. */
  onBytes?: (read: number) => void;
  /** Default: true. */
  withCanary?: boolean;
  /** Cards and reports by path, made when all else is written; they are written and listed too. */
  documents?: (manifest: BackboneManifest) => Promise<Record<string, Uint8Array>>;
};

const importRules: Rules<ImportOptions> = {
  signal: signalRule,
  onBytes: callback,
  withCanary: flag,
  documents: callback,
};

/**
 * Writes graphs, weights, a canary where the networks are small enough to be run, and manifest.json. `onBytes` is told how much of the checkpoints was read,
 * out of `importBytes`. Throws `incompatible` that names the tensors which do not fit, or `invalid-file` where a weight is no finite number.
 */
export async function importBackbone(
  source: ImportSource,
  evaluate: Evaluate,
  write: WriteFile,
  options: ImportOptions = {},
): Promise<BackboneManifest> {
  return await throughDoor(options?.signal, () => {
    checkArgument(source, record, 'source');
    checkOptions(options, importRules);
    const own = callersOwn({ evaluate, write });
    return importWhole(source, own.evaluate, own.write, callersOwn(options));
  });
}

async function importWhole(
  source: ImportSource,
  evaluate: Evaluate,
  write: WriteFile,
  { signal, onBytes, withCanary = true, documents }: ImportOptions,
): Promise<BackboneManifest> {
  const { parts, forms = exactForms } = source;
  const files: FileEntry[] = [];
  const inputs: BackboneManifest['inputs'] = { visual: null, audio: null };
  const networks: BackboneManifest['networks'] = { visual: null, audio: null };
  const taps: BackboneManifest['taps'] = { visual: [], audio: [] };
  const variants: Record<string, BackboneGraphs> = {};
  for (const variant of Object.keys(forms)) variants[variant] = { visual: null, audio: null };
  /** Last taps of all senses, in float32 and in each other form. */
  const ends: Outputs[] = [];
  let read = 0;
  for (const part of parts) {
    const { accounting, where } = part;
    const preset = withFrontEnd(part.preset, accounting.style.frontEnd);
    checkAccounting(accounting, preset, part.presetName, where);
    const reader = new WeightsReader(part, signal, (bytes) => {
      read += bytes;
      onBytes?.(read);
    });
    const named = backboneTaps(preset, (graph) => Params.deferred(graph, (spec) => reader.read(spec)));
    const { modality } = preset;
    const outputs = Object.fromEntries(named.map((tap) => [tap.name, tap.value]));
    const compiled = await planVariants({ graphs: { [modality]: outputs }, weights: modality, forms }, evaluate);
    for (const plan of compiled.plans) {
      for (const [path, bytes] of Object.entries(plan.files)) files.push(await write(path, [bytes]));
      files.push(await write(plan.weights.path, weightsChunks(plan)));
    }
    Object.assign(inputs, { [modality]: preset.frontEnd });
    networks[modality] = await reader.digest.finish();
    taps[modality] = named.map(specOf);
    for (const [variant, graphs] of Object.entries(compiled.variants)) Object.assign(variants[variant]!, graphs);
    const last = named.at(-1)!.name;
    for (const [form, graphs] of [{ [modality]: outputs }, ...compiled.rounded].entries()) {
      ends[form] = { ...ends[form], [modality]: { [last]: graphs[modality]![last]! } };
    }
  }
  const [exact, ...rounded] = ends;
  const { canary, files: canaryFiles } =
    withCanary && canaryRefusal(parts) === null
      ? await compileCanary(exact!, rounded, evaluate)
      : { canary: null, files: {} };
  for (const [path, bytes] of Object.entries(canaryFiles)) files.push(await write(path, [bytes]));
  const known = { canary, inputs, networks, taps, variants: variants as BackboneManifest['variants'] };
  const draft = { ...backboneDraft(source, known), files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
  const drafted = parseManifest(draft, `manifest of backbone "${source.id}"`) as BackboneManifest;
  const written = (await documents?.(drafted)) ?? {};
  for (const [path, bytes] of Object.entries(written)) await write(path, [bytes]);
  const manifest = await withDocuments(drafted, written);
  await write('manifest.json', [new TextEncoder().encode(manifestText(manifest))]);
  return manifest;
}

/** Most numbers of a backbone that are held in memory, several times over, to run it: all but the large sizes. */
const mostHeld = 64e6;

/** Why checkpoints of this size get no canary, which takes a run of the networks; null where they get one. */
export function canaryRefusal(parts: readonly ImportPart[]): string | null {
  const shapes = usedTensors(parts).map(({ shape }) => shape);
  const numbers = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  if (numbers <= mostHeld) return null;
  const millions = (x: number): string => `${Math.round(x / 1e6)} million`;
  return `${millions(numbers)} numbers are more than the ${millions(mostHeld)} that are held in memory to compute one`;
}

/** Bytes of the checkpoints that an import reads. */
export const importBytes = (parts: readonly ImportPart[]): number =>
  usedTensors(parts).reduce((sum, { bytes }) => sum + bytes, 0);

const usedTensors = (parts: readonly ImportPart[]): CheckpointTensor[] =>
  parts.flatMap(({ accounting, checkpoint }) =>
    [...accounting.sources.values()].flat().flatMap((name) => checkpoint.tensors.get(name) ?? []),
  );

/** The preset as these weights want it fed. */
export function withFrontEnd(preset: BackbonePreset, changes: Partial<LogMelFrontEnd> = {}): BackbonePreset {
  return preset.modality === 'audio' ? { ...preset, frontEnd: { ...preset.frontEnd, ...changes } } : preset;
}

/** Parameters from the tensors that make them. */
class WeightsReader {
  /** Of every parameter read so far. */
  readonly digest = new NetworkDigest();
  readonly #source: ImportPart;
  readonly #signal: AbortSignal | undefined;
  readonly #onTensor: (bytes: number) => void;
  /** Some are read twice; they count once. */
  readonly #counted = new Set<string>();

  /** `onTensor` is told what each tensor has in the file. */
  constructor(source: ImportPart, signal: AbortSignal | undefined, onTensor: (bytes: number) => void) {
    this.#source = source;
    this.#signal = signal;
    this.#onTensor = onTensor;
  }

  async read(spec: ParamSpec): Promise<Float32Array> {
    const numbers = await this.#joined(spec);
    if (/(^|\.)running_var$/.test(spec.name)) this.#checkVariance(spec.name, numbers);
    await this.digest.add(spec.name, numbers);
    return numbers;
  }

  #checkVariance(name: string, numbers: Float32Array): void {
    const bad = numbers.find((x) => x < 0);
    if (bad === undefined) return;
    const [source] = this.#source.accounting.sources.get(name)!;
    throw new MettleError(
      'invalid-file',
      `${this.#source.where}: tensor "${source}" holds ${bad} as a variance, expected numbers from 0 on.`,
      { hint: 'The weights are damaged: get the checkpoint again from its authors.' },
    );
  }

  async #joined({ name, shape }: ParamSpec): Promise<Float32Array> {
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
    if (!this.#counted.has(name)) this.#onTensor(tensor.bytes);
    this.#counted.add(name);
    return numbers;
  }
}
