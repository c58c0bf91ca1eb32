/**
 * Reads a manifest that a stranger wrote: JSON in, a {@link Manifest} out that the rest of the SDK can trust. The types in `manifest.ts` say what a field
 * means; this file says what it may be.
 */
import { bytesText, limits } from '../contract/limits.ts';
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
import { splitSignatures } from './signature.ts';
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

/** Files that may be listed though no graph needs them. */
const documents = new Set(['README.md', 'LICENSE', 'NOTICE', 'adapter_config.json', 'report.json', 'evaluation.json']);

/**
 * Checks a parsed manifest.json and gives it its type. `where` names it in errors, e.g. `manifest.json of adapter at https://...`.
 * Throws `invalid-file` that names the field, or `incompatible` if it asks for another version of the SDK than `sdk`.
 */
export function parseManifest(json: unknown, where: string, sdk = sdkVersion): Manifest {
  const at = new Place(where);
  const { content, signatures } = splitSignatures(json, at);
  const kind = typeof content === 'object' && content !== null && 'kind' in content ? content.kind : undefined;
  const manifest =
    kind === 'backbone' ? backbone(content, at) : kind === 'adapter' ? adapter(content, at) : unknownKind(content, at);
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
  return signatures ? { ...manifest, signatures } : manifest;
}

const modalities = ['visual', 'audio'] as const;
const positive = integer(1);
const id = matching(idPattern, 'an id of a-z, 0-9, ".", "_" and "-"');
const baseId = matching(new RegExp(`^${idText}(?:\\+${idText})?$`), 'the id of a backbone, or of two with "+" between');
const integrity = matching<Integrity>(integrityPattern, 'sha256- and a digest in base64');
const dimensions = list(positive, { min: 1 });

const elementsOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

const shape: Check<number[]> = (value, at) => {
  const sizes = dimensions(value, at);
  const elements = elementsOf(sizes);
  if (elements <= limits.outputElements && sizes.length <= 8) return sizes;
  throw at.error(
    `expected at most 8 dimensions and ${limits.outputElements} elements, got ${sizes.length} and ${elements}`,
  );
};

const wholeFile = { path: filePath, bytes: positive, integrity };
const plainEntry = object<FileEntry>(wholeFile);
const chunkedEntry = object<Required<FileEntry>>({
  ...wholeFile,
  chunkBytes: integer(limits.chunkBytes, limits.fileBytes),
  chunks: list(integrity, { min: 1 }),
});
const fileEntry: Check<FileEntry> = (value, at) => {
  const chunked =
    typeof value === 'object' &&
    value !== null &&
    (Object.hasOwn(value, 'chunks') || Object.hasOwn(value, 'chunkBytes'));
  if (!chunked) return plainEntry(value, at);
  const entry = chunkedEntry(value, at);
  const { bytes, chunkBytes, chunks } = entry;
  const wanted = Math.ceil(bytes / chunkBytes);
  if (chunks.length !== wanted) throw at.field('chunks').error(`expected ${wanted} items, got ${chunks.length}`);
  if (wanted === 1 && chunks[0] !== entry.integrity) {
    throw at.field('chunks').index(0).expected('the digest of the file, whose only piece it is', chunks[0]);
  }
  return entry;
};

const common = {
  schema: oneOf(1),
  id,
  version: matching(/^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[\w.-]{1,60})?$/, 'a version like "1.0.0"'),
  license: text,
  untrained: boolean,
  requires: object({ sdk: matching(versionRange, 'a range like ">=0.1 <1"') }),
  canary: nullable(object<Canary>({ file: filePath, rtol: number(1e-6, 1) })),
  files: list(fileEntry, { min: 1, key: (file) => file.path }),
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

const side = integer(1, limits.pictureSide);
const picture = object<PictureFrontEnd>({
  input: text,
  width: side,
  height: side,
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
  const at = new Place(where);
  const frontEnd = picture(withInput(json, where), at);
  checkPicture(frontEnd, at);
  return withoutInput(frontEnd);
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
  if (inputs.visual) checkPicture(inputs.visual, at.field('inputs').field('visual'));
  if (inputs.audio) checkLogMel(inputs.audio, at.field('inputs').field('audio'));
  atMost('numbers of all taps', tapElements(taps), limits.tapElements, at.field('taps'));
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

const tapElements = (taps: BackboneManifest['taps']): number =>
  modalities.flatMap((modality) => taps[modality]).reduce((sum, { tokens, width }) => sum + tokens * width, 0);

/** Throws where a figure that memory follows from is larger than its limit. */
function atMost(what: string, figure: number, limit: number, at: Place): void {
  if (figure > limit) throw at.error(`expected at most ${limit} ${what}, got ${figure}`);
}

function checkPicture({ width, height }: PictureFrontEnd, at: Place): void {
  atMost('pixels', width * height, limits.inputPixels, at);
}

function checkLogMel(frontEnd: LogMelFrontEnd, at: Place): void {
  const fault = logMelFault(frontEnd);
  if (fault) throw at.field(fault.field).expected(fault.expected, frontEnd[fault.field]);
  const { sampleRate, repeat, frames, mels, fftSize } = frontEnd;
  atMost('samples, sampleRate x repeat', sampleRate * repeat, limits.inputSamples, at);
  atMost('numbers, frames x mels', frames * mels, limits.melElements, at);
  atMost('points of transforms, frames x fftSize', frames * fftSize, limits.fftPoints, at);
  atMost('weights of filters, mels x (fftSize / 2 + 1)', mels * (fftSize / 2 + 1), limits.melFilterElements, at);
}

function checkAdapter({ task, classes, thresholds, segment, clip, variants }: AdapterManifest, at: Place): void {
  if (task !== 'segment' && classes.length === 0) throw at.field('classes').error('expected at least 1 item, got 0');
  if (thresholds && task !== 'parse') throw at.field('thresholds').error(`expected null, since task is "${task}"`);
  if (thresholds && thresholds.length !== classes.length) {
    const wanted = `expected ${classes.length} items, one per class, got ${thresholds.length}`;
    throw at.field('thresholds').error(wanted);
  }
  const { outputElements } = limits;
  const sum = (outputs: readonly TensorSpec[]) => outputs.reduce((all, { shape }) => all + elementsOf(shape), 0);
  atMost('numbers of all outputs', sum(segment.outputs), outputElements, at.field('segment').field('outputs'));
  if (clip) {
    const kept = sum(segment.outputs.filter(({ deliver }) => deliver === 'clip'));
    atMost('numbers of all outputs', sum(clip.outputs), outputElements, at.field('clip').field('outputs'));
    atMost('numbers kept for a window', clip.segments * kept, outputElements, at.field('clip').field('segments'));
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

/** Whatever the variant, its files fit into the memory that a device can address. */
function checkBytes({ variants, files }: Manifest, at: Place): void {
  const bytesOf = new Map(files.map(({ path, bytes }) => [path, bytes]));
  files.forEach(({ bytes }, index) => {
    atMost('bytes', bytes, limits.fileBytes, at.field('files').index(index).field('bytes'));
  });
  for (const [variant, graphs] of each<Record<string, GraphFiles | null>>(variants)) {
    const paths = new Set(Object.values(graphs).flatMap((files) => (files ? [files.graph, files.weights] : [])));
    const bytes = [...paths].reduce((sum, path) => sum + (bytesOf.get(path) ?? 0), 0);
    if (bytes <= limits.modelBytes) continue;
    const [found, most] = [bytesText(bytes), bytesText(limits.modelBytes)];
    throw at.field('variants').field(variant).error(`its files have ${found}, expected at most ${most} together`);
  }
}

/** Every file that a variant or the canary names is listed, and every listed file has a use. */
function checkFiles(manifest: Manifest, at: Place): void {
  const listed = new Set(manifest.files.map((file) => file.path));
  const used = new Set<string>();
  checkBytes(manifest, at);
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
    atMost('bytes', entry.bytes, limits.canaryBytes, place);
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
