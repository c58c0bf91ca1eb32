/** The options that say how a second is brought to a network that does not say it itself; shared by "backbone tap" and "backbone import". */
import type { FrontEndSource } from '../compile/tapped.ts';
import { limits } from '../contract/limits.ts';
import { parseLogMelFrontEnd, parsePictureFrontEnd } from '../contract/parse-front-end.ts';
import { parseJson } from '../contract/parse-json.ts';
import { readSmall } from '../node/disk.ts';
import { usageError } from './options.ts';

export const FRONT_END_OPTIONS = {
  modality: { type: 'string' },
  size: { type: 'string' },
  mean: { type: 'string' },
  std: { type: 'string' },
  'front-end': { type: 'string' },
} as const;

export type FrontEndValues = { modality?: string; size?: string; mean?: string; std?: string; 'front-end'?: string };

/** Which of the options were given. */
export const givenFrontEnd = (values: FrontEndValues): string[] =>
  (Object.keys(FRONT_END_OPTIONS) as (keyof FrontEndValues)[]).filter((name) => values[name] !== undefined);

/** A triple of numbers, as an option writes it. */
export type PictureDefaults = { size(): [number, number]; mean: string; std: string };

/** What the options say; where they say nothing of a picture, `defaults` does. */
export async function readFrontEnd(
  values: FrontEndValues,
  defaults: PictureDefaults,
  command: string,
): Promise<FrontEndSource> {
  const { modality = 'picture', size, mean, std, 'front-end': file } = values;
  if (modality !== 'picture' && modality !== 'sound') {
    throw usageError(`--modality "${modality}" is unknown; expected picture or sound.`, command);
  }
  if (file !== undefined) {
    if (size ?? mean ?? std) throw usageError('--front-end says all; leave out --size, --mean, --std.', command);
    const json = parseJson(await readSmall(file, 'a front end', limits.noteBytes), file);
    return modality === 'picture'
      ? { modality: 'visual', frontEnd: parsePictureFrontEnd(json, file) }
      : { modality: 'audio', frontEnd: parseLogMelFrontEnd(json, file) };
  }
  if (modality === 'sound') throw usageError('Sounds need --front-end FILE.', command);
  const [width, height] = size === undefined ? defaults.size() : pixels(size, command);
  const frontEnd = {
    width,
    height,
    mean: triple('--mean', mean ?? defaults.mean, command),
    std: triple('--std', std ?? defaults.std, command),
  };
  return { modality: 'visual', frontEnd };
}

function pixels(size: string, command: string): [number, number] {
  const match = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(size);
  if (match) return [Number(match[1]), Number(match[2])];
  throw usageError(`--size "${size}" is no size; expected WIDTHxHEIGHT in pixels, e.g. 224x224.`, command);
}

function triple(option: string, value: string, command: string): [number, number, number] {
  const numbers = value.split(',').map(Number);
  if (numbers.length === 3 && numbers.every(Number.isFinite)) return numbers as [number, number, number];
  throw usageError(`${option} "${value}": expected three numbers with commas between.`, command);
}
