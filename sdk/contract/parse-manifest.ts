/**
 * Reads a manifest that a stranger wrote: JSON in, a {@link Manifest} out that the rest of the SDK can trust. The types in `manifest.ts` say what a field
 * means; this file says what it may be.
 */
import { MettleError } from '../errors.ts';
import { logMelFault } from './front-end.ts';
import { integrityPattern } from './integrity.ts';
import type {
  AdapterManifest,
  BackboneManifest,
  Canary,
  FileEntry,
  GraphFiles,
  Integrity,
  LogMelFrontEnd,
  Manifest,
  PictureFrontEnd,
  Tap,
  TensorSpec,
  Variants,
} from './manifest.ts';
import {
  boolean,
  type Check,
  integer,
  list,
  matching,
  nullable,
  number,
  object,
  oneOf,
  Place,
  text,
  tuple,
} from './strict-json.ts';
import { TASKS, type Task } from './task.ts';
import { satisfies, sdkVersion, versionRange } from './version.ts';

/** What the id of a backbone or adapter looks like. */
const idText = '[a-z0-9][a-z0-9._-]{0,99}';
export const idPattern = new RegExp(`^${idText}$`);

/** A file in the manifest's folder or below: plain letters, no scheme, no `..`, nothing that a URL would read otherwise. */
export const filePath: Check<string> = matching(
  /^(?!.{201})[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
  'a relative path of letters, digits, ".", "_", "-" and "/" without ".."',
);

/** Most elements of an output: 1 GiB of float32. */
const maxElements = 2 ** 28;

/** Most bytes of a canary's file: it is read whenever a model is loaded. */
const maxCanaryBytes = 2 ** 20;

/** Files that may be listed though no graph needs them. */
const documents = new Set(['README.md', 'LICENSE', 'NOTICE', 'adapter_config.json']);

/**
 * Checks a parsed manifest.json and gives it its type. `where` names it in errors, e.g. `manifest.json of adapter at https://...`.
 * Throws `invalid-file` that names the field, or `incompatible` if it asks for another version of the SDK than `sdk`.
 */
export function parseManifest(json: unknown, where: string, sdk = sdkVersion): Manifest {
  const at = new Place(where);
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? json.kind : undefined;
  const manifest =
    kind === 'backbone' ? backbone(json, at) : kind === 'adapter' ? adapter(json, at) : unknownKind(json, at);
  if (!satisfies(sdk, manifest.requires.sdk)) {
    throw new MettleError(
      'incompatible',
      `${where}: requires mettle-edge ${manifest.requires.sdk}, but this is ${sdk}.`,
      {
        hint: 'Install a version of mettle-edge in that range, or use a release of the model made for yours.',
      },
    );
  }
  if (manifest.kind === 'backbone') checkBackbone(manifest, at);
  else checkAdapter(manifest, at);
  checkFiles(manifest, at);
  return manifest;
}

const modalities = ['visual', 'audio'] as const;
const positive = integer(1);
const id = matching(idPattern, 'an id of a-z, 0-9, ".", "_" and "-"');
const baseId = matching(new RegExp(`^${idText}(?:\\+${idText})?$`), 'the id of a backbone, or of two with "+" between');
const integrity = matching<Integrity>(integrityPattern, 'sha256- and a digest in base64');
const dimensions = list(positive, { min: 1 });

const shape: Check<number[]> = (value, at) => {
  const sizes = dimensions(value, at);
  const elements = sizes.reduce((product, size) => product * size, 1);
  if (elements <= maxElements && sizes.length <= 8) return sizes;
  throw at.error(`expected at most 8 dimensions and ${maxElements} elements`);
};

const common = {
  schema: oneOf(1),
  id,
  version: matching(/^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[\w.-]{1,60})?$/, 'a version like "1.0.0"'),
  license: text,
  untrained: boolean,
  requires: object({ sdk: matching(versionRange, 'a range like ">=0.1 <1"') }),
  canary: nullable(object<Canary>({ file: filePath, rtol: number(1e-6, 1) })),
  files: list(object<FileEntry>({ path: filePath, bytes: positive, integrity }), { min: 1, key: (file) => file.path }),
};

const precision = oneOf('float32', 'float16', 'weights-int8', 'weights-int4', 'int8');
const plainFiles = object<GraphFiles>({ graph: filePath, weights: filePath });
const describedFiles = object<Required<GraphFiles>>({ graph: filePath, weights: filePath, precision });
const graphFiles: Check<GraphFiles> = (value, at) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'precision')
    ? describedFiles(value, at)
    : plainFiles(value, at);

function variants<T>(variant: Check<T>): Check<Variants<T>> {
  const two = object<Variants<T>>({ webgpu: variant, wasm: variant });
  const three = object<Required<Variants<T>>>({ webgpu: variant, wasm: variant, 'webgpu-f16': variant });
  return (value, at) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'webgpu-f16')
      ? three(value, at)
      : two(value, at);
}

/** Of the variants that a package has. */
const each = <T>(variants: Variants<T>): [string, T][] => Object.entries<T>(variants);

const triple = (item: Check<number>) => tuple<[number, number, number]>(3, item);

const picture = object<PictureFrontEnd>({
  input: text,
  width: integer(1, 8192),
  height: integer(1, 8192),
  mean: triple(number()),
  std: triple(number(1e-12)),
});

const logMel = object<LogMelFrontEnd>({
  input: text,
  layout: oneOf('image', 'plain'),
  sampleRate: integer(1000, 400_000),
  repeat: integer(1, 60),
  window: integer(4, 65_536),
  fftSize: integer(4, 65_536),
  hop: integer(1, 400_000),
  align: oneOf('centre', 'left'),
  spectrum: oneOf('power', 'magnitude'),
  mels: integer(1, 4096),
  minHz: number(0),
  maxHz: number(0),
  scale: oneOf('slaney', 'htk'),
  log: oneOf('decibel', 'natural'),
  floor: number(Number.MIN_VALUE),
  frames: integer(1, 400_000),
  mean: number(),
  std: number(1e-12),
});

/** A front end by itself, without the `input` that a network gives it. Throws `invalid-file` that begins with `where` and names the field. */
export function parsePictureFrontEnd(json: unknown, where: string): Omit<PictureFrontEnd, 'input'> {
  return withoutInput(picture(withInput(json, where), new Place(where)));
}

/** As `parsePictureFrontEnd`, for sounds. */
export function parseLogMelFrontEnd(json: unknown, where: string): Omit<LogMelFrontEnd, 'input'> {
  const at = new Place(where);
  const frontEnd = logMel(withInput(json, where), at);
  checkLogMel(frontEnd, at);
  return withoutInput(frontEnd);
}

function withInput(json: unknown, where: string): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Place(where).expected('an object', json);
  }
  if (Object.hasOwn(json, 'input')) throw new Place(where).field('input').error('unknown field');
  return { ...json, input: 'input' };
}

function withoutInput<T extends { input: string }>({ input: _, ...rest }: T): Omit<T, 'input'> {
  return rest;
}

const taps = list(
  object<Tap>({
    name: text,
    layout: oneOf('tokens', 'map'),
    tokens: integer(1, 1_000_000),
    width: integer(1, 1_000_000),
    grid: tuple<[number, number]>(2, integer(1, 1_000_000)),
  }),
);

const backbone = object<BackboneManifest>({
  ...common,
  kind: oneOf('backbone'),
  inputs: object({ visual: nullable(picture), audio: nullable(logMel) }),
  networks: object({ visual: nullable(integrity), audio: nullable(integrity) }),
  taps: object({ visual: taps, audio: taps }),
  variants: variants(object({ visual: nullable(graphFiles), audio: nullable(graphFiles) })),
});

/** What packages of older versions call the tasks. */
const formerTasks = new Map<unknown, Task>([
  ['localization', 'localize'],
  ['parsing', 'parse'],
  ['segmentation', 'segment'],
]);
const knownTask = oneOf(...TASKS);
const task: Check<Task> = (value, at) => {
  const now = formerTasks.get(value);
  if (now === undefined) return knownTask(value, at);
  throw at.error(
    `"${value}" is the name that older versions gave to "${now}"`,
    `Take a newer release of the adapter; if it is yours, export it again with "mettle train" (same data, options and seed), or write "${now}" there.`,
  );
};

const adapter = object<AdapterManifest>({
  ...common,
  kind: oneOf('adapter'),
  task,
  classes: list(text, { key: (name) => name }),
  thresholds: nullable(list(number(0, 1))),
  base: object({ id: baseId, contract: integrity }),
  segment: object({
    reads: list(text, { min: 1, key: (name) => name }),
    outputs: list(
      object<TensorSpec & { deliver: 'segment' | 'clip' }>({ name: text, shape, deliver: oneOf('segment', 'clip') }),
      {
        min: 1,
        key: (output) => output.name,
      },
    ),
  }),
  clip: nullable(
    object({
      segments: integer(1, 10_000),
      outputs: list(object<TensorSpec>({ name: text, shape }), { min: 1, key: (output) => output.name }),
    }),
  ),
  variants: variants(object({ segment: graphFiles, clip: nullable(graphFiles) })),
});

function unknownKind(json: unknown, at: Place): never {
  // Says first what is wrong with a document that is no object at all.
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw at.expected('an object', json);
  if (!Object.hasOwn(json, 'kind')) throw at.field('kind').error('missing');
  throw at.field('kind').expected('"backbone" or "adapter"', (json as { kind: unknown }).kind);
}

function checkBackbone({ inputs, networks, taps, variants }: BackboneManifest, at: Place): void {
  if (!inputs.visual && !inputs.audio) throw at.field('inputs').error('expected visual, audio or both, got neither');
  if (inputs.audio) checkLogMel(inputs.audio, at.field('inputs').field('audio'));
  const names = new Set<string>();
  for (const modality of modalities) {
    const present = inputs[modality] !== null;
    const place = at.field('taps').field(modality);
    if (present && taps[modality].length === 0) throw place.error('expected at least 1 item, got 0');
    if (!present && taps[modality].length > 0) throw place.error(`expected none, since inputs.${modality} is null`);
    if ((networks[modality] !== null) !== present) {
      const wanted = present ? 'a digest, got null' : `null, since inputs.${modality} is null`;
      throw at.field('networks').field(modality).error(`expected ${wanted}`);
    }
    for (const [name, graphs] of each(variants)) {
      if ((graphs[modality] !== null) === present) continue;
      const wanted = present ? 'an object, got null' : `null, since inputs.${modality} is null`;
      throw at.field('variants').field(name).field(modality).error(`expected ${wanted}`);
    }
    taps[modality].forEach(({ name, tokens, grid }, index) => {
      const tap = place.index(index);
      if (names.has(name)) throw tap.field('name').error(`${JSON.stringify(name)} is the name of another tap too`);
      names.add(name);
      if (grid[0] * grid[1] !== tokens) throw tap.field('tokens').expected(`${grid[0] * grid[1]} for the grid`, tokens);
    });
  }
}

function checkLogMel(frontEnd: LogMelFrontEnd, at: Place): void {
  const fault = logMelFault(frontEnd);
  if (fault) throw at.field(fault.field).expected(fault.expected, frontEnd[fault.field]);
}

function checkAdapter({ task, classes, thresholds, segment, clip, variants }: AdapterManifest, at: Place): void {
  if (task !== 'segment' && classes.length === 0) throw at.field('classes').error('expected at least 1 item, got 0');
  if (thresholds && task !== 'parse') throw at.field('thresholds').error(`expected null, since task is "${task}"`);
  if (thresholds && thresholds.length !== classes.length) {
    const wanted = `expected ${classes.length} items, one per class, got ${thresholds.length}`;
    throw at.field('thresholds').error(wanted);
  }
  segment.outputs.forEach(({ name, shape, deliver }, index) => {
    const output = at.field('segment').field('outputs').index(index);
    if (shape[0] !== 1) throw output.field('shape').error(`expected 1 as the first dimension, got ${shape[0]}`);
    if (deliver !== 'clip') return;
    if (!clip) throw output.field('deliver').error('expected "segment", since clip is null');
    if (name === 'mask') throw output.field('name').error('"mask" is an input that every clip graph has');
  });
  if (clip) {
    if (!segment.outputs.some(({ deliver }) => deliver === 'clip')) {
      throw at.field('clip').error('expected null, since no segment output is delivered to "clip"');
    }
    clip.outputs.forEach(({ shape }, index) => {
      if (shape[0] === clip.segments) return;
      const output = at.field('clip').field('outputs').index(index);
      throw output
        .field('shape')
        .error(`expected ${clip.segments} (clip.segments) as the first dimension, got ${shape[0]}`);
    });
  }
  for (const [name, graphs] of each(variants)) {
    if ((graphs.clip === null) === (clip === null)) continue;
    const problem = clip ? 'expected graph and weights, since clip is not null' : 'expected null, since clip is null';
    throw at.field('variants').field(name).field('clip').error(problem);
  }
}

/** Every file that a variant or the canary names is listed, and every listed file has a use. */
function checkFiles(manifest: Manifest, at: Place): void {
  const listed = new Set(manifest.files.map((file) => file.path));
  const used = new Set<string>();
  for (const [variant, graphs] of each<Record<string, GraphFiles | null>>(manifest.variants)) {
    for (const [part, graph] of Object.entries(graphs)) {
      for (const role of ['graph', 'weights'] as const) {
        const path = graph?.[role];
        if (path === undefined) continue;
        used.add(path);
        if (listed.has(path)) continue;
        throw at.field('variants').field(variant).field(part).field(role).expected('a file listed in "files"', path);
      }
    }
  }
  if (manifest.canary) {
    const { file } = manifest.canary;
    const place = at.field('canary').field('file');
    const entry = manifest.files.find(({ path }) => path === file);
    if (!entry) throw place.expected('a file listed in "files"', file);
    if (entry.bytes > maxCanaryBytes) throw place.error(`expected at most ${maxCanaryBytes} bytes, got ${entry.bytes}`);
    used.add(file);
  }
  manifest.files.forEach(({ path }, index) => {
    if (used.has(path) || documents.has(path)) return;
    throw at
      .field('files')
      .index(index)
      .error(`${JSON.stringify(path)} is used by no variant`);
  });
}
