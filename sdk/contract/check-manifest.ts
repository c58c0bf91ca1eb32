/** Whether the fields of a manifest, each of which is well by itself, fit together: what one sense has, what variants and files there are, and what memory follows from them. */

import { bytesText, limits } from './limits.ts';
import type { AdapterManifest, BackboneManifest, GraphFiles, Manifest, TensorSpec, Variants } from './manifest.ts';
import { documentNames, elementsOf } from './manifest-form.ts';
import { checkLogMel, checkPicture } from './parse-front-end.ts';
import { atMost, type Place } from './strict-json.ts';
import { isTokens } from './tokens.ts';

const documents = new Set(documentNames);

const modalities = ['visual', 'audio'] as const;

/** Of the variants that a package has. */
const each = <T>(variants: Variants<T>): [string, T][] => Object.entries<T>(variants);

/** Throws `invalid-file` that names the field. */
export function checkManifest(manifest: Manifest, at: Place): void {
  if (manifest.kind === 'backbone') checkBackbone(manifest, at);
  else checkAdapter(manifest, at);
  checkFiles(manifest, at);
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

function checkAdapter(manifest: AdapterManifest, at: Place): void {
  const { task, classes, thresholds, segment, clip, borders, variants } = manifest;
  if (task !== 'segment' && classes.length === 0) throw at.field('classes').error('expected at least 1 item, got 0');
  if (thresholds && task !== 'parse') throw at.field('thresholds').error(`expected null, since task is "${task}"`);
  if (thresholds && thresholds.length !== classes.length) {
    const wanted = `expected ${classes.length} items, one per class, got ${thresholds.length}`;
    throw at.field('thresholds').error(wanted);
  }
  const { calibration, familiarity } = manifest;
  if (calibration && 'both' in calibration === (task === 'parse')) {
    const wanted = task === 'parse' ? 'audio and visual' : 'both';
    throw at.field('calibration').error(`expected ${wanted}, since task is "${task}"`);
  }
  const measured = segment.outputs.some(({ name }) => isTokens(name));
  if (familiarity && !measured) throw at.field('familiarity').error('expected null, since no output holds meta-tokens');
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
    if (deliver === 'familiarity' && !isTokens(name)) {
      throw output
        .field('deliver')
        .error('expected "segment" or "clip", since familiarity is told by meta-tokens alone');
    }
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
  if (borders && task === 'segment') throw at.field('borders').error('expected none, since masks have no events');
  if (borders) {
    atMost('numbers', borders.steps * classes.length, outputElements, at.field('borders').field('steps'));
  }
  for (const [name, graphs] of each(variants)) {
    if ((graphs.borders === undefined) !== (borders === undefined)) {
      const problem = borders
        ? 'expected graph and weights, since there is borders'
        : 'expected none, since there is no borders';
      throw at.field('variants').field(name).field('borders').error(problem);
    }
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
  if (manifest.kind === 'adapter' && manifest.base.likeness) {
    const { file } = manifest.base.likeness;
    const place = at.field('base').field('likeness').field('file');
    const entry = manifest.files.find(({ path }) => path === file);
    if (!entry) throw place.expected('a file listed in "files"', file);
    atMost('bytes', entry.bytes, limits.canaryBytes, place);
    used.add(file);
  }
  if (manifest.kind === 'adapter' && manifest.familiarity) {
    const { file } = manifest.familiarity;
    const place = at.field('familiarity').field('file');
    const entry = manifest.files.find(({ path }) => path === file);
    if (!entry) throw place.expected('a file listed in "files"', file);
    atMost('bytes', entry.bytes, limits.familiarityBytes, place);
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
