/**
 * The form of a manifest, field by field: what may stand in each, and which there are. The types in `manifest.ts` say what a field means; what fields say of each other,
 * `parse-manifest.ts` checks.
 */
import { integrityPattern } from './integrity.ts';
import { limits } from './limits.ts';
import type {
  AdapterGraphs,
  AdapterManifest,
  BackboneManifest,
  Canary,
  FileEntry,
  GraphFiles,
  Integrity,
  Likeness,
  OneTemperature,
  Scope,
  SenseTemperatures,
  Tap,
  Temperature,
  TensorSpec,
  Variants,
} from './manifest.ts';
import { logMel, picture } from './parse-front-end.ts';
import { signatureList } from './signature.ts';
import {
  boolean,
  type Check,
  check,
  integer,
  list,
  matching,
  nullable,
  number,
  object,
  oneOf,
  Place,
  type Schema,
  text,
  tuple,
} from './strict-json.ts';
import { TASKS, type Task } from './task.ts';
import { versionRange } from './version.ts';

/** What the id of a backbone or adapter looks like. */
const idText = '[a-z0-9][a-z0-9._-]{0,99}';
export const idPattern = new RegExp(`^${idText}$`);

/** A file in the manifest's folder or below: plain letters, no scheme, no `..`, nothing that a URL would read otherwise. */
export const filePath: Check<string> = matching(
  /^(?!.{201})[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
  'a relative path of letters, digits, ".", "_", "-" and "/" without ".."',
);

/** Files that may be listed though no graph needs them. */
export const documentNames = [
  'README.md',
  'LICENSE',
  'NOTICE',
  'adapter_config.json',
  'report.json',
  'evaluation.json',
];
const id = matching(idPattern, 'an id of a-z, 0-9, ".", "_" and "-"');
const baseId = matching(new RegExp(`^${idText}(?:\\+${idText})?$`), 'the id of a backbone, or of two with "+" between');
const integrity = matching<Integrity>(integrityPattern, 'sha256- and a digest in base64');
const dimensions = list(integer(1), { min: 1 });

export const elementsOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

const shape: Check<number[]> = check({ ...dimensions.schema, maxItems: 8 }, (value, at) => {
  const sizes = dimensions(value, at);
  const elements = elementsOf(sizes);
  if (elements <= limits.outputElements && sizes.length <= 8) return sizes;
  throw at.error(
    `expected at most 8 dimensions and ${limits.outputElements} elements, got ${sizes.length} and ${elements}`,
  );
});

const plainEntry = object<FileEntry>(
  { path: filePath, bytes: integer(1), integrity },
  { chunkBytes: integer(limits.chunkBytes, limits.fileBytes), chunks: list(integrity, { min: 1 }) },
);
const together = { chunkBytes: ['chunks'], chunks: ['chunkBytes'] };
const fileEntry: Check<FileEntry> = check({ ...plainEntry.schema, dependentRequired: together }, (value, at) => {
  const entry = plainEntry(value, at);
  const { bytes, chunkBytes, chunks } = entry;
  if (chunkBytes === undefined && chunks === undefined) return entry;
  if (chunkBytes === undefined) throw at.field('chunkBytes').error('missing');
  if (chunks === undefined) throw at.field('chunks').error('missing');
  const wanted = Math.ceil(bytes / chunkBytes);
  if (chunks.length !== wanted) throw at.field('chunks').error(`expected ${wanted} items, got ${chunks.length}`);
  if (wanted === 1 && chunks[0] !== entry.integrity) {
    throw at.field('chunks').index(0).expected('the digest of the file, whose only piece it is', chunks[0]);
  }
  return entry;
});

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
const graphFiles = object<GraphFiles>({ graph: filePath, weights: filePath }, { precision });

const variants = <T extends object>(variant: Check<T>): Check<Variants<T>> =>
  object<Variants<object>>({ webgpu: variant, wasm: variant }, { 'webgpu-f16': variant }) as Check<Variants<T>>;

const taps = list(
  object<Tap>({
    name: text,
    layout: oneOf('tokens', 'map'),
    tokens: integer(1, 1_000_000),
    width: integer(1, 1_000_000),
    grid: tuple<[number, number]>(2, integer(1, 1_000_000)),
  }),
);

export const backbone = object<BackboneManifest>({
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
const task: Check<Task> = check(knownTask.schema, (value, at) => {
  const now = formerTasks.get(value);
  if (now === undefined) return knownTask(value, at);
  throw at.error(
    `"${value}" is the name that older versions gave to "${now}"`,
    `Take a newer release of the adapter; if it is yours, export it again with "mettle train" (same data, options and seed), or write "${now}" there.`,
  );
});

const likeness = object<Likeness>({
  inputs: object({ visual: nullable(picture), audio: nullable(logMel) }),
  taps: object({ visual: taps, audio: taps }),
  file: filePath,
  tolerance: number(1e-6, 1),
});

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
const calibration: Check<NonNullable<AdapterManifest['calibration']>> = check(
  { oneOf: [bySense.schema, forBoth.schema] },
  (value, at) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'both')
      ? forBoth(value, at)
      : bySense(value, at),
);

const borders = object<NonNullable<AdapterManifest['borders']>>({
  reads: list(text, { min: 1, key: (name) => name }),
  steps: integer(2, 1000),
});

/** Fields that packages of before lack. */
const laterFields = { scope: null, familiarity: null, calibration: null };

const wholeAdapter = object<Omit<AdapterManifest, 'signatures'>>(
  {
    ...common,
    kind: oneOf('adapter'),
    task,
    classes: list(text, { key: (name) => name }),
    thresholds: nullable(list(number(0, 1))),
    scope: nullable(scope),
    familiarity: nullable(object({ file: filePath, least: number(0, 1) })),
    calibration: nullable(calibration),
    base: object<AdapterManifest['base']>({ id: baseId, contract: integrity }, { likeness }),
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
    variants: variants(
      object<AdapterGraphs>({ segment: graphFiles, clip: nullable(graphFiles) }, { borders: graphFiles }),
    ),
  },
  { borders },
);

export const adapter: Check<AdapterManifest> = check(
  {
    ...wholeAdapter.schema,
    required: (wholeAdapter.schema.required as string[]).filter((name) => !Object.hasOwn(laterFields, name)),
  },
  (value, at) => wholeAdapter(typeof value === 'object' && value !== null ? { ...laterFields, ...value } : value, at),
);

/**
 * The form of a manifest as JSON Schema of draft 2020-12, for editors and other tools. What one field says of another (that files are listed, that outputs fit the clip
 * graph, all sums against limits) is beyond a schema: `parseManifest` alone decides.
 */
export function manifestSchema(): Schema {
  const signed = ({ schema }: { schema: Schema }): Schema => ({
    ...schema,
    properties: { ...(schema.properties as object), signatures: signatureList.schema },
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'manifest.json of a backbone or an adapter for mettle-edge',
    oneOf: [signed(backbone), signed(adapter)],
  };
}
