/** Masks in PNG files, in whatever form they circulate: 1 bit, 0/1, 0/255, numbers of objects, palettes, RGB, with 255 or VOC's border where nobody knows. */
import { MettleError } from '../../errors.ts';
import { decodePngSamples, type PngSamples } from './png-reader.ts';

/** `data` is [height, width], 1 where the pixel makes the sound. */
export type MaskImage = {
  width: number;
  height: number;
  data: Uint8Array<ArrayBuffer>;
  /** 1 where the file says that nobody knows; left out where that is nowhere. */
  ignored?: Uint8Array<ArrayBuffer>;
  /** How many different values the picture has; more than two means that somebody smoothed it or stored several objects. */
  levels: number;
};

/** One number per pixel, and what is told of each: 0 is the background. */
type Labels = { width: number; height: number; values: Uint32Array };

/** Labels of data sets go up to about this; 255 beside them is their mark for "nobody knows". */
const smallest = 20;
const largestLabel = 64;
/** A picture of more grey levels than this was smoothed, whatever else it is. */
const mostLabels = 32;
/** The border of VOC's palette: number 255, and in the colours of that palette this one. */
const vocBorder = (224 << 16) | (224 << 8) | 192;
const white = 0xffffff;

/**
 * Reads a mask: the object is what is not background. Grey: 0 is background. Two values, or few that lie in areas of their own, are numbers of objects, and all of them
 * object; 255 beside small numbers is ignored. Values between 0 and 255 that lie only at edges are smoothing: object is from one half on. Colours: black is background,
 * VOC's border is ignored. 16 bits with small values are read as small values.
 * Throws `invalid-file` that begins with `where`, also where a picture could mean one thing as well as another.
 */
export function readMask(bytes: Uint8Array, where = 'mask'): MaskImage {
  const samples = decodePngSamples(bytes, where);
  const fail = (problem: string): never => {
    throw new MettleError('invalid-file', `${where}: ${problem}.`, {
      hint: 'Save the mask as 0 for background, 1 or 255 for the object.',
    });
  };
  const colors = samples.palette || samples.channels > 2 ? colorsOf(samples) : null;
  const isGrey = colors?.values.every(
    (color) => color >> 16 === (color & 255) && ((color >> 8) & 255) === (color & 255),
  );
  if (colors && !isGrey) return fromColors(colors, fail);
  const grey = colors ? { ...colors, values: colors.values.map((color) => color & 255) } : greyOf(samples);
  return fromGrey(grey, fail);
}

type Fail = (problem: string) => never;

/** RGB of each pixel as one number; black where it is transparent. */
function colorsOf({ width, height, channels, depth, palette, transparency, data }: PngSamples): Labels {
  const values = new Uint32Array(width * height);
  const byte = (sample: number): number => (depth === 16 ? sample >> 8 : sample);
  for (let i = 0; i < values.length; i++) {
    if (palette) {
      const at = data[i]!;
      if (transparency?.[at] === 0) continue;
      values[i] = (palette[3 * at]! << 16) | (palette[3 * at + 1]! << 8) | palette[3 * at + 2]!;
      continue;
    }
    const at = i * channels;
    if (channels === 4 && data[at + 3] === 0) continue;
    values[i] = (byte(data[at]!) << 16) | (byte(data[at + 1]!) << 8) | byte(data[at + 2]!);
  }
  return { width, height, values };
}

/** As numbers from 0 to 255: fewer bits stretched, 16 bits as they are where they are small, else by their high byte. */
function greyOf({ width, height, channels, depth, data }: PngSamples): Labels {
  const values = new Uint32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const visible = channels === 1 || data[i * channels + 1] !== 0;
    if (visible) values[i] = data[i * channels]!;
  }
  if (depth < 8) return { width, height, values: values.map((value) => value * (255 / (2 ** depth - 1))) };
  if (depth === 8) return { width, height, values };
  const found = [...new Set(values)].sort((a, b) => a - b);
  const largest = found.at(-1)!;
  if (largest <= 255) return { width, height, values };
  if (largest === 0xffff && found.every((value) => value <= 255 || value === 0xffff)) {
    return { width, height, values: values.map((value) => Math.min(255, value)) };
  }
  if (found.every((value) => value % 257 === 0)) return { width, height, values: values.map((value) => value / 257) };
  // Numbers of objects that do not fit into a byte; which is which says nothing here.
  if (found.length <= mostLabels && !(largest === 0xffff && found.length > 2)) {
    return { width, height, values: values.map((value) => (value === 0 ? 0 : 1)) };
  }
  return { width, height, values: values.map((value) => value >> 8) };
}

function fromGrey(labels: Labels, fail: Fail): MaskImage {
  const levels = [...new Set(labels.values)].sort((a, b) => a - b);
  const between = levels.filter((value) => value !== 0 && value !== 255);
  const isObject = (least: number) => mask(labels, levels.length, (value) => value >= least);
  if (levels.length <= 2 && !(levels.includes(255) && between.length > 0)) return isObject(1);
  if (!levels.includes(255))
    return isLabels(labels, between, levels) ? isObject(1) : isObject(levels.at(-1)! >= 128 ? 128 : 1);
  if (between.every((value) => value <= smallest)) return withIgnored(labels, levels.length, 255);
  if (isNoisyPair(between) || !isLabels(labels, between, levels)) return isObject(128);
  if (between.every((value) => value <= largestLabel)) return withIgnored(labels, levels.length, 255);
  // Numbers of objects that were spread over the greys, to be seen.
  if (isSpread(levels)) return isObject(1);
  return fail(
    `the values ${levels.slice(0, 8).join(', ')}${levels.length > 8 ? ', ...' : ''} may be numbers of objects, with 255 for one more or for unknown, or shades`,
  );
}

/** Black and white as a lossy format leaves them. */
const isNoisyPair = (between: readonly number[]): boolean =>
  between.every((value) => value < 16 || value > 239) && between.some((value) => value > 239);

const isSpread = (levels: readonly number[]): boolean => {
  const step = 255 / (levels.length - 1);
  return levels.every((value, i) => Math.abs(value - i * step) < 1);
};

/** Whether values between black and white are numbers of objects: few, and not at edges alone, or too small to be shades. */
function isLabels({ width, height, values }: Labels, between: readonly number[], levels: readonly number[]): boolean {
  if (between.every((value) => value <= smallest)) return true;
  if (levels.length > mostLabels) return false;
  const candidates = new Set(between);
  for (let y = 1; y + 1 < height; y++) {
    for (let x = 1; x + 1 < width; x++) {
      const value = values[y * width + x]!;
      if (candidates.has(value) && isArea(values, y * width + x, width, value)) return true;
    }
  }
  return false;
}

/** Whether all eight neighbours have this value too. */
function isArea(values: Uint32Array, at: number, width: number, value: number): boolean {
  for (const row of [-width, 0, width]) {
    for (const column of [-1, 0, 1]) if (values[at + row + column] !== value) return false;
  }
  return true;
}

function fromColors(labels: Labels, fail: Fail): MaskImage {
  const found = new Set(labels.values);
  const objects = [...found].filter((color) => color !== 0 && color !== vocBorder);
  if (!found.has(0) && objects.length > 1) {
    fail(`${found.size} colours and no black: it cannot be told which is the background`);
  }
  if (found.size > mostLabels) {
    // Colours that were smoothed: the brightest channel decides.
    return mask(labels, found.size, (color) => Math.max(color >> 16, (color >> 8) & 255, color & 255) >= 128);
  }
  if (found.has(white) && objects.length > 1) {
    fail('white beside other colours may be an object, a border or the background');
  }
  return found.has(vocBorder)
    ? withIgnored(labels, found.size, vocBorder)
    : mask(labels, found.size, (color) => color !== 0);
}

function mask({ width, height, values }: Labels, levels: number, isObject: (value: number) => boolean): MaskImage {
  const data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) if (isObject(values[i]!)) data[i] = 1;
  return { width, height, data, levels };
}

function withIgnored(labels: Labels, levels: number, border: number): MaskImage {
  const read = mask(labels, levels, (value) => value !== 0 && value !== border);
  return { ...read, ignored: mask(labels, levels, (value) => value === border).data };
}
