/** Reads what a stranger wrote about a front end: how a picture or a second of sound is brought to a network. The types in `manifest.ts` say what a field means. */
import { logMelFault } from './front-end.ts';
import { limits } from './limits.ts';
import type { LogMelFrontEnd, PictureFrontEnd } from './manifest.ts';
import { atMost, type Check, integer, number, object, oneOf, Place, text, tuple } from './strict-json.ts';

const triple = (item: Check<number>) => tuple<[number, number, number]>(3, item);

const side = integer(1, limits.pictureSide);
export const picture = object<PictureFrontEnd>({
  input: text,
  width: side,
  height: side,
  mean: triple(number()),
  std: triple(number(1e-12)),
});

export const logMel = object<LogMelFrontEnd>({
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

export function checkPicture({ width, height }: PictureFrontEnd, at: Place): void {
  atMost('pixels', width * height, limits.inputPixels, at);
}

export function checkLogMel(frontEnd: LogMelFrontEnd, at: Place): void {
  const fault = logMelFault(frontEnd);
  if (fault) throw at.field(fault.field).expected(fault.expected, frontEnd[fault.field]);
  const { sampleRate, repeat, frames, mels, fftSize } = frontEnd;
  atMost('samples, sampleRate x repeat', sampleRate * repeat, limits.inputSamples, at);
  atMost('numbers, frames x mels', frames * mels, limits.melElements, at);
  atMost('points of transforms, frames x fftSize', frames * fftSize, limits.fftPoints, at);
  atMost('weights of filters, mels x (fftSize / 2 + 1)', mels * (fftSize / 2 + 1), limits.melFilterElements, at);
}
