/**
 * Reads a manifest that a stranger wrote: JSON in, a {@link Manifest} out that the rest of the SDK can trust. `manifest-form.ts` says what each field may be; this file what
 * they say of each other.
 */
import { bytesText, limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { logMelFault } from './front-end.ts';
import type {
  AdapterManifest,
  BackboneManifest,
  GraphFiles,
  LogMelFrontEnd,
  Manifest,
  PictureFrontEnd,
  TensorSpec,
  Variants,
} from './manifest.ts';
import { adapter, backbone, documentNames, elementsOf, logMel, picture } from './manifest-form.ts';
import { splitSignatures } from './signature.ts';
import { Place } from './strict-json.ts';
import { satisfies, sdkVersion } from './version.ts';

const documents = new Set(documentNames);

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

/** Of the variants that a package has. */
const each = <T>(variants: Variants<T>): [string, T][] => Object.entries<T>(variants);

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
