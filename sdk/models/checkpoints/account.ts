/**
 * The accounting of an import: every tensor of a checkpoint becomes a parameter of the preset's network, or is left out for a reason, or is a problem; and
 * every parameter has its tensors. No weights are read.
 */
import { checkArgument, record } from '../../contract/options.ts';
import { throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import type { Checkpoint } from '../../onnx/checkpoint/types.ts';
import { backboneParams } from '../backbone.ts';
import type { BackbonePreset, PresetName } from '../presets.ts';
import { type Size, windowing } from '../windows.ts';
import { detectStyle, type KeyStyle } from './key-styles.ts';
import { areFiltersOf } from './mel-filters.ts';
import type { Buffer, Fate, Rule } from './rules.ts';
import {
  isOfSize,
  type Named,
  networkOf,
  presetSizes,
  presetsOfSize,
  type Sizes,
  sizesOf,
  sizesText,
} from './sizes.ts';

export type Misshapen = { name: string; shape: readonly number[]; expected: readonly number[] };

export type Accounting = {
  style: KeyStyle;
  prefix: string;
  sizes: Sizes;
  /** Shipped presets of the file's sizes, as far as the file tells them. */
  fitting: PresetName[];
  /** By our parameter: the tensors of the file that make it, one after the other along the first axis. */
  sources: Map<string, string[]>;
  ignored: { reason: string; names: string[] }[];
  /** All empty, or nothing may be imported. All are named as in the file; of `missing` as it names their like. */
  problems: { unknown: string[]; missing: string[]; misshapen: Misshapen[]; sizes: string[]; frontEnd: string[] };
};

/** Throws `incompatible` where the names are in no known style, or belong to the other kind of network. */
export async function accountFor(checkpoint: Checkpoint, preset: BackbonePreset, where: string): Promise<Accounting> {
  return await throughDoor(undefined, () => {
    checkArgument(checkpoint, record, 'checkpoint');
    checkArgument(preset, record, 'preset');
    return account(checkpoint, preset, where);
  });
}

async function account(checkpoint: Checkpoint, preset: BackbonePreset, where: string): Promise<Accounting> {
  const { style, prefix } = detectStyle(checkpoint.tensors.keys(), where);
  const sources = new Map<string, string[]>();
  const ignored = new Map<string, string[]>();
  const problems: Accounting['problems'] = { unknown: [], missing: [], misshapen: [], sizes: [], frontEnd: [] };
  const named: Named[] = [];
  const expected = backboneParams(preset);
  const parts = new Map<string, number>();
  for (const [source, { shape }] of checkpoint.tensors) {
    const inside = source.startsWith(prefix) ? source.slice(prefix.length) : null;
    const fate = fateOf(inside, source, style);
    if (!fate) {
      problems.unknown.push(source);
    } else if ('ignored' in fate) {
      ignored.set(fate.ignored, [...(ignored.get(fate.ignored) ?? []), source]);
      if (fate.buffer) named.push({ name: tableName(inside!), source, shape, buffer: fate.buffer });
    } else {
      const [index, count] = fate.part ?? [0, 1];
      const own = sources.get(fate.to) ?? Array.from({ length: count }, () => '');
      if (own[index] !== '') {
        problems.unknown.push(source);
        continue;
      }
      own[index] = source;
      sources.set(fate.to, own);
      parts.set(source, count);
      named.push({ name: fate.to, source, shape });
    }
  }

  const sizes = await sizesOf(named, checkpoint);
  const fitting = presetsOfSize(sizes, style.network);
  if (style.network !== networkOf(preset)) throw wrongNetwork(style, preset, fitting, where);
  if (!isOfSize(sizes, preset)) problems.sizes.push(sizesText(sizes));
  for (const { name, source, shape, buffer } of named) {
    if (buffer) {
      const wanted = bufferShape(buffer, name, preset);
      if (wanted && wanted.join() !== shape.join()) problems.misshapen.push({ name: source, shape, expected: wanted });
      else if (buffer === 'mel filters' && preset.modality === 'audio') {
        const own = await checkpoint.tensors.get(source)!.read();
        if (!areFiltersOf(preset.frontEnd, own)) problems.frontEnd.push(source);
      }
      continue;
    }
    const spec = expected.get(name);
    if (!spec) problems.unknown.push(source);
    else {
      const wanted = [spec.shape[0]! / parts.get(source)!, ...spec.shape.slice(1)];
      if (wanted.join() !== shape.join()) problems.misshapen.push({ name: source, shape, expected: wanted });
    }
  }
  for (const name of expected.keys()) problems.missing.push(...missingInFile(name, sources, prefix));
  const reasons = [...ignored].map(([reason, names]) => ({ reason, names }));
  return { style, prefix, sizes, fitting, sources, ignored: reasons, problems };
}

/** Throws `incompatible` that names what stops an import, if anything does. */
export function checkAccounting(
  { problems, sizes, fitting }: Accounting,
  preset: BackbonePreset,
  presetName: string,
  where: string,
): void {
  const { unknown, missing, misshapen } = problems;
  if (problems.sizes.length > 0) {
    throw new MettleError(
      'incompatible',
      `${where} holds a network of ${sizesText(sizes)}, but preset "${presetName}" has ${sizesText(presetSizes(preset))}.`,
      { hint: fitting.length > 0 ? `Import it with --preset ${fitting.join(' or ')}.` : 'No preset has these sizes.' },
    );
  }
  if (problems.frontEnd.length > 0 && preset.modality === 'audio') {
    const { sampleRate, mels, minHz, maxHz } = preset.frontEnd;
    throw new MettleError(
      'incompatible',
      `${where} was trained with other mel filters (${problems.frontEnd}) than preset "${presetName}" has: ${mels} at ${sampleRate} Hz, ${minHz} to ${maxHz} Hz.`,
      { hint: 'Take the checkpoint that was trained on AudioSet at that rate.' },
    );
  }
  const parts = [
    listText('unknown', unknown),
    listText('missing', missing),
    listText('of another shape', misshapen.map(misshapenText)),
  ].filter((text) => text !== '');
  if (parts.length === 0) return;
  throw new MettleError('incompatible', `${where} does not fit preset "${presetName}": ${parts.join('; ')}.`, {
    hint: 'Every tensor must be accounted for. Take the file as it was published, or the preset of its size.',
  });
}

export const misshapenText = ({ name, shape, expected }: Misshapen): string =>
  `${name} [${shape}], expected [${expected}]`;

/** Names of many, the first of them in full. */
function listText(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 6).join(', ');
  return `${names.length} ${what}: ${shown}${names.length > 6 ? `, and ${names.length - 6} more` : ''}`;
}

/** Names of the tensors that are not there for a parameter, as the file would have them: like those of the same parameter of another block, with its numbers. */
function missingInFile(name: string, sources: ReadonlyMap<string, readonly string[]>, prefix: string): string[] {
  const own = sources.get(name);
  if (own?.every((source) => source !== '')) return [];
  const kind = withoutNumbers(name);
  for (const [other, names] of sources) {
    if (other === name || withoutNumbers(other) !== kind || names.includes('')) continue;
    const absent = names.filter((_, part) => !own?.[part]);
    return absent.map((like) => renumbered(like.slice(prefix.length), other, name)).map((inside) => prefix + inside);
  }
  return [prefix + name];
}

const withoutNumbers = (name: string): string => name.replace(/\d+/g, '#');
const numbersIn = (name: string): number[] => (name.match(/\d+/g) ?? []).map(Number);

/** `like`, which makes `other`, as it would be called if it made `name`: its numbers move as ours do. */
function renumbered(like: string, other: string, name: string): string {
  const [from, to] = [numbersIn(other), numbersIn(name)];
  if (numbersIn(like).length !== from.length) return name;
  let at = 0;
  return like.replace(/\d+/g, (digits) => {
    const moved = Number(digits) - from[at]! + to[at]!;
    at++;
    return String(moved);
  });
}

function fateOf(inside: string | null, source: string, style: KeyStyle): Fate | null {
  const fate = inside === null ? null : byRules(inside, style.rules);
  if (fate) return fate;
  return byRules(source, style.outside) ?? (style.own && inside !== null ? { to: inside } : null);
}

function byRules(name: string, rules: readonly Rule[]): Fate | null {
  for (const [pattern, fate] of rules) {
    const match = name.match(pattern);
    if (match) return fate(match);
  }
  return null;
}

/** Tables have the same names everywhere, but for what stands around them. */
const tableName = (name: string): string => name.replace(/^encoder\./, '').replace('.attention.self.', '.attn.');

/** Null where any shape will do. */
function bufferShape(buffer: Buffer, name: string, preset: BackbonePreset): number[] | null {
  if (buffer === 'transform' || buffer === 'mel filters') {
    if (preset.modality !== 'audio') return null;
    const { fftSize, mels } = preset.frontEnd;
    return buffer === 'transform' ? [fftSize / 2 + 1, 1, fftSize] : [fftSize / 2 + 1, mels];
  }
  const [, stage, block] = /^layers\.(\d{1,2})\.blocks\.(\d{1,3})\./.exec(name) ?? [];
  if (stage === undefined || Number(stage) >= preset.network.depths.length) return null;
  const map = mapOf(preset).map((side) => side / 2 ** Number(stage)) as Size;
  const { window, shift } = windowing(map, preset.network.window, Number(block) % 2 === 1);
  const tokens = window[0] * window[1];
  if (buffer === 'offset index') return [tokens, tokens];
  if (buffer === 'offsets') return [1, 2 * window[0] - 1, 2 * window[1] - 1, 2];
  return shift[0] + shift[1] === 0 ? null : [(map[0] * map[1]) / tokens, tokens, tokens];
}

/** Rows and columns of the first stage. */
function mapOf(preset: BackbonePreset): Size {
  if (preset.modality === 'visual') return tokensOf(preset.network.image, preset.network.patch);
  const { frontEnd, network } = preset;
  const { layout } = network;
  return tokensOf(
    layout.kind === 'fold' ? [layout.side, layout.side] : [frontEnd.frames, frontEnd.mels],
    network.patch,
  );
}

const tokensOf = ([rows, columns]: Size, patch: number): Size => [rows / patch, columns / patch];

function wrongNetwork(style: KeyStyle, preset: BackbonePreset, fitting: PresetName[], where: string): MettleError {
  const sense = { visual: 'pictures', audio: 'sounds' }[preset.modality];
  return new MettleError('incompatible', `${where} holds ${style.title}, but the preset is a network for ${sense}.`, {
    hint: fitting.length > 0 ? `Import it with --preset ${fitting.join(' or ')}.` : 'No preset has its sizes.',
  });
}
