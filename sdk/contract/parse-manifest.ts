/**
 * Reads a manifest that a stranger wrote: JSON in, a {@link Manifest} out that the rest of the SDK can trust. The types in `manifest.ts` say what a field
 * means; this file says what it may be, and `check-manifest.ts` what must fit together.
 */
import { MettleError } from '../errors.ts';
import { checkManifest, elementsOf } from './check-manifest.ts';
import { integrityPattern } from './integrity.ts';
import { limits } from './limits.ts';
import type {
  AdapterManifest,
  BackboneManifest,
  Canary,
  FileEntry,
  GraphFiles,
  Integrity,
  Likeness,
  Manifest,
  OneTemperature,
  Scope,
  SenseTemperatures,
  Tap,
  Temperature,
  TensorSpec,
  Variants,
} from './manifest.ts';
import { logMel, picture } from './parse-front-end.ts';
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
  checkManifest(manifest, at);
  return manifest;
}

const positive = integer(1);
const id = matching(idPattern, 'an id of a-z, 0-9, ".", "_" and "-"');
const baseId = matching(new RegExp(`^${idText}(?:\\+${idText})?$`), 'the id of a backbone, or of two with "+" between');
const integrity = matching<Integrity>(integrityPattern, 'sha256- and a digest in base64');
const dimensions = list(positive, { min: 1 });

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

type Base = AdapterManifest['base'];
const plainBase = { id: baseId, contract: integrity };
const likeness = object<Likeness>({
  inputs: object({ visual: nullable(picture), audio: nullable(logMel) }),
  taps: object({ visual: taps, audio: taps }),
  file: filePath,
  tolerance: number(1e-6, 1),
});
const base: Check<Base> = (value, at) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'likeness')
    ? object<Required<Base>>({ ...plainBase, likeness })(value, at)
    : object<Base>(plainBase)(value, at);

const scope = object<Scope>({
  senses: list(oneOf('audio', 'visual'), { min: 1, key: (sense) => sense }),
  world: text,
  unknown: text,
});
/** By itself, as a file that an option names. Throws `invalid-file` that begins with `where` and names the field. */
export const parseScope = (json: unknown, where: string): Scope => scope(json, new Place(where));

const temperature = object<Temperature>({ temperature: number(1e-3, 1e3), bias: number(-100, 100) });
const bySense = object<SenseTemperatures>({ audio: temperature, visual: temperature });
const forBoth = object<OneTemperature>({ both: temperature });
const calibration: Check<NonNullable<AdapterManifest['calibration']>> = (value, at) =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'both') ? forBoth(value, at) : bySense(value, at);

/** Fields that packages of before lack. */
const laterFields = { scope: null, familiarity: null, calibration: null };

const wholeAdapter = object<AdapterManifest>({
  ...common,
  kind: oneOf('adapter'),
  task,
  classes: list(text, { key: (name) => name }),
  thresholds: nullable(list(number(0, 1))),
  scope: nullable(scope),
  familiarity: nullable(object({ file: filePath, least: number(0, 1) })),
  calibration: nullable(calibration),
  base,
  segment: object({
    reads: list(text, { min: 1, key: (name) => name }),
    outputs: list(
      object<AdapterManifest['segment']['outputs'][number]>({
        name: text,
        shape,
        deliver: oneOf('segment', 'clip', 'familiarity'),
      }),
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
const adapter: Check<AdapterManifest> = (value, at) =>
  wholeAdapter(typeof value === 'object' && value !== null ? { ...laterFields, ...value } : value, at);

function unknownKind(json: unknown, at: Place): never {
  // Says first what is wrong with a document that is no object at all.
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw at.expected('an object', json);
  if (!Object.hasOwn(json, 'kind')) throw at.field('kind').error('missing');
  throw at.field('kind').expected('"backbone" or "adapter"', (json as { kind: unknown }).kind);
}
