/**
 * The audio front end that some networks carry inside: waveform, frames, window, Fourier transform, mel bands, logarithm. It is told from its operators, and its
 * numbers from its constants, so that the package's own front end can take its place. Only what that one can do the same is recognised.
 */
import type { LogMelFrontEnd } from '../contract/manifest.ts';
import { parseLogMelFrontEnd } from '../contract/parse-front-end.ts';
import { MettleError } from '../errors.ts';
import { melFilters } from '../front-end/mel.ts';
import { Constants } from './numbers.ts';
import { sizeOf, type TfliteModel, type TfliteOperator } from './reader.ts';

export type AudioFrontEnd = {
  frontEnd: Omit<LogMelFrontEnd, 'input'>;
  /** Index of the tensor that the network reads: the log-mel picture, whatever axes it has. */
  output: number;
  /** Those that it is made of. */
  operators: ReadonlySet<TfliteOperator>;
};

/** Samples of waveform and places of frames that are followed. */
const mostPlaces = 2 ** 24;
/** How far a mel filter of the file may be from ours: one of 8 bits is up to 0.004 off. */
const filterTolerance = 0.01;
const windowTolerance = 0.002;
const sampleRates = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000];

/** Null where the file has no Fourier transform. Throws `incompatible` that names what it does otherwise than the package's own front end. */
export function findAudioFrontEnd(model: TfliteModel): AudioFrontEnd | null {
  const transforms = model.operators.filter(({ name }) => name === 'RFFT2D');
  return transforms.length === 0 ? null : new FrontEndReader(model).read();
}

/** Numbers of a tensor by where they come from in another: `order[i]` is the place there of number i here. */
type Moved = { index: number; shape: readonly number[]; order: Int32Array };

class FrontEndReader {
  readonly #model: TfliteModel;
  readonly #constants: Constants;
  readonly #used = new Set<TfliteOperator>();

  constructor(model: TfliteModel) {
    this.#model = model;
    this.#constants = new Constants(model.file);
  }

  read(): AudioFrontEnd {
    const [waveform, ...more] = this.#model.inputs;
    if (waveform === undefined || more.length > 0) throw this.#unlike('it has other inputs than one waveform');
    const framed = this.#moved(waveform);
    const { frames, window, hop } = this.#framesOf(framed);
    const windowed = this.#windowed(framed.index, window);
    const { spectrum, fftSize } = this.#spectrum(windowed, window);
    const mel = this.#mel(spectrum, fftSize / 2 + 1);
    const logarithm = this.#next(mel.index, 'LOG');
    const picture = this.#moved(logarithm.outputs[0]!);
    if (picture.order.length !== frames * mel.bands || picture.order.some((place, i) => place !== i)) {
      throw this.#unlike('the frames are not read in their order');
    }
    const described = {
      layout: 'plain',
      ...mel.scale,
      repeat: 1,
      window,
      fftSize,
      hop,
      align: 'left',
      spectrum: mel.power ? 'power' : 'magnitude',
      mels: mel.bands,
      scale: 'htk',
      log: 'natural',
      floor: mel.floor,
      frames,
      mean: 0,
      std: 1,
    };
    try {
      const frontEnd = parseLogMelFrontEnd(described, 'front end');
      return { frontEnd, output: picture.index, operators: this.#used };
    } catch (error) {
      if (!(error instanceof MettleError)) throw error;
      throw this.#unlike(`its numbers are none that go together (${error.message})`);
    }
  }

  /** Frames, samples of each and from one to the next, if the numbers are consecutive in each and frames are evenly far apart. */
  #framesOf({ shape, order }: Moved): { frames: number; window: number; hop: number } {
    const window = shape.at(-1) ?? 0;
    const frames = order.length / window;
    const hop = frames > 1 ? order[window]! - order[0]! : 0;
    const isFramed = order.every((place, i) => place === Math.floor(i / window) * hop + (i % window));
    if (frames < 2 || hop < 1 || !isFramed) throw this.#unlike('its frames do not lie evenly in the waveform');
    return { frames, window, hop };
  }

  /** The tensor of frames under a periodic Hann window. */
  #windowed(frames: number, length: number): number {
    const product = this.#next(frames, 'MUL');
    const constant = product.inputs.find((index) => index !== frames);
    const numbers = this.#floats(constant);
    const isHann =
      numbers.length === length &&
      numbers.every((x, i) => Math.abs(x - (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length))) <= windowTolerance);
    if (!isHann) throw this.#unlike('its window is no periodic Hann window');
    return product.outputs[0]!;
  }

  /** The tensor of absolute values behind the Fourier transform. */
  #spectrum(windowed: number, window: number): { spectrum: number; fftSize: number } {
    let at = this.#reshaped(windowed);
    if (this.#reader(at).name === 'PAD') {
      const pad = this.#next(at, 'PAD');
      const amounts = this.#integers(pad.inputs[1]);
      if (amounts.slice(0, -1).some((amount) => amount !== 0)) throw this.#unlike('zeros stand before its samples');
      at = this.#reshaped(pad.outputs[0]!);
    }
    const transform = this.#next(at, 'RFFT2D');
    const [rows, fftSize = 0] = this.#integers(transform.inputs[1]);
    if (rows !== 1 || fftSize < window) throw this.#unlike('its Fourier transform is not that of one frame');
    const absolute = this.#next(this.#reshaped(transform.outputs[0]!), 'COMPLEX_ABS');
    return { spectrum: absolute.outputs[0]!, fftSize };
  }

  #mel(spectrum: number, bins: number) {
    const squared = this.#squared(spectrum);
    const product = this.#next(this.#reshaped(squared ?? spectrum), 'FULLY_CONNECTED');
    const [, filters, added] = product.inputs;
    const shape = this.#model.tensors[filters ?? -1]?.shape ?? [];
    if (shape.length !== 2 || shape[1] !== bins) throw this.#unlike(`its mel filters are [${shape}]`);
    const bands = shape[0]!;
    const scale = this.#scaleOf(this.#floats(filters), bands, bins);
    let index = product.outputs[0]!;
    let floors = added === undefined || added < 0 ? [0] : [...new Set(this.#floats(added))];
    if (floors.every((x) => x === 0) && this.#reader(index).name === 'ADD') {
      const sum = this.#next(index, 'ADD');
      floors = [...new Set(this.#floats(sum.inputs.find((input) => input !== index)))];
      index = sum.outputs[0]!;
    }
    const [floor] = floors;
    if (floors.length !== 1 || !floor || floor < 0) throw this.#unlike('no small number is added before the logarithm');
    // As it was written before it became a float32.
    return { bands, scale, power: squared !== null, floor: Number(floor.toPrecision(7)), index };
  }

  #squared(spectrum: number): number | null {
    const next = this.#reader(spectrum);
    const isSquare =
      next.name === 'SQUARE' || (next.name === 'MUL' && next.inputs.every((index) => index === spectrum));
    return isSquare ? this.#next(spectrum, next.name).outputs[0]! : null;
  }

  /** Sampling rate and bounds of triangles that lie evenly on the HTK scale, from the slopes of the filters themselves. */
  #scaleOf(filters: Float32Array, bands: number, bins: number) {
    const found = sampleRates.map((sampleRate) => {
      const bounds = boundsOf(filters, { bands, bins, sampleRate });
      return { ...bounds, sampleRate, error: bounds ? distance(filters, { bands, bins, sampleRate, ...bounds }) : 1 };
    });
    const best = found.reduce((a, b) => (b.error < a.error ? b : a));
    if (best.error > filterTolerance) throw this.#unlike('its mel filters are no triangles on the HTK scale');
    const { sampleRate, minHz, maxHz } = best;
    return { sampleRate, minHz: minHz!, maxHz: maxHz! };
  }

  /** Follows a tensor through operators that only move its numbers, as long as each is read by one. */
  #moved(from: number): Moved {
    const { tensors } = this.#model;
    const { shape } = tensors[from]!;
    if (sizeOf(shape) > mostPlaces) throw this.#unlike(`it reads ${sizeOf(shape)} numbers`);
    let at: Moved = { index: from, shape, order: Int32Array.from({ length: sizeOf(shape) }, (_, i) => i) };
    for (;;) {
      const operator = this.#onlyReader(at.index);
      const output = operator?.outputs[0];
      const next = operator && output !== undefined ? tensors[output] : undefined;
      if (!operator || output === undefined || !next || sizeOf(next.shape) > mostPlaces) return at;
      if (/^(RESHAPE|SQUEEZE|EXPAND_DIMS)$/.test(operator.name)) {
        if (sizeOf(next.shape) !== at.order.length) return at;
        at = { index: output, shape: next.shape, order: at.order };
      } else if (operator.name === 'GATHER' && operator.inputs[0] === at.index) {
        const order = this.#gathered(at, operator, sizeOf(next.shape));
        if (!order) return at;
        at = { index: output, shape: next.shape, order };
      } else return at;
      this.#used.add(operator);
    }
  }

  /** Along the first axis alone. */
  #gathered({ shape, order }: Moved, { inputs, options }: TfliteOperator, size: number): Int32Array | null {
    if ((options?.int32(0) ?? 0) !== 0) return null;
    const places = this.#integers(inputs[1]);
    const inner = sizeOf(shape.slice(1));
    const isInside = places.every((place) => place >= 0 && place < (shape[0] ?? 0));
    if (!isInside || places.length * inner !== size) return null;
    return Int32Array.from({ length: size }, (_, i) => order[places[Math.floor(i / inner)]! * inner + (i % inner)]!);
  }

  /** Passes over changes of shape. */
  #reshaped(index: number): number {
    let at = index;
    while (this.#reader(at).name === 'RESHAPE') at = this.#next(at, 'RESHAPE').outputs[0]!;
    return at;
  }

  /** The one operator that reads a tensor, which must have this name. */
  #next(index: number, name: string): TfliteOperator {
    const found = this.#reader(index);
    if (found.name !== name || found.outputs.length === 0)
      throw this.#unlike(`${found.name} stands where ${name} is expected`);
    this.#used.add(found);
    return found;
  }

  #reader(index: number): TfliteOperator {
    const found = this.#onlyReader(index);
    if (!found) throw this.#unlike('a step of it is read by more than the next one');
    return found;
  }

  #onlyReader(index: number): TfliteOperator | undefined {
    const readers = this.#model.operators.filter(({ inputs }) => inputs.includes(index));
    return readers.length === 1 ? readers[0] : undefined;
  }

  #floats(index: number | undefined): Float32Array {
    const tensor = this.#model.tensors[index ?? -1];
    if (!tensor?.bytes) throw this.#unlike('its numbers are not in the file');
    return this.#constants.floats(tensor);
  }

  #integers(index: number | undefined): number[] {
    const tensor = this.#model.tensors[index ?? -1];
    if (!tensor?.bytes) throw this.#unlike('its sizes are not in the file');
    return this.#constants.integers(tensor);
  }

  #unlike(problem: string): MettleError {
    return new MettleError(
      'incompatible',
      `${this.#model.file.where} has an audio front end that is not recognised: ${problem}.`,
      { hint: 'Cut the network behind its front end, and describe that with --front-end.' },
    );
  }
}

type Bank = { bands: number; bins: number; sampleRate: number };

const hzToMel = (hz: number): number => 1127 * Math.log1p(hz / 700);
const melToHz = (mel: number): number => 700 * Math.expm1(mel / 1127);

/**
 * Lowest and highest frequency, to the hertz. On a slope of band m a weight w stands for the mel low + (m + w) step, behind the peak for low + (m + 2 - w) step:
 * a line through all of them gives low and step. Null where there are too few slopes.
 */
function boundsOf(filters: Float32Array, { bands, bins, sampleRate }: Bank): { minHz: number; maxHz: number } | null {
  let [count, sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0, 0];
  for (let band = 0; band < bands; band++) {
    const row = filters.subarray(band * bins, (band + 1) * bins);
    const peak = row.reduce((best, weight, bin) => (weight > row[best]! ? bin : best), 0);
    row.forEach((weight, bin) => {
      if (bin === peak || weight < 0.05 || weight > 0.95) return;
      const x = bin < peak ? band + weight : band + 2 - weight;
      const y = hzToMel((bin * sampleRate) / (2 * (bins - 1)));
      count++;
      sumX += x;
      sumY += y;
      sumXX += x * x;
      sumXY += x * y;
    });
  }
  const spread = count * sumXX - sumX * sumX;
  if (count < 3 || !(spread > 0)) return null;
  const step = (count * sumXY - sumX * sumY) / spread;
  const low = (sumY - step * sumX) / count;
  const [minHz, maxHz] = [Math.round(melToHz(low)), Math.round(melToHz(low + (bands + 1) * step))];
  return minHz >= 0 && maxHz > minHz && maxHz <= sampleRate / 2 ? { minHz, maxHz } : null;
}

/** The largest difference of any weight from that of our own filters. */
function distance(filters: Float32Array, { bands, bins, ...scale }: Bank & { minHz: number; maxHz: number }): number {
  const own = melFilters({ ...scale, fftSize: 2 * (bins - 1), mels: bands, scale: 'htk' });
  let worst = 0;
  own.forEach(({ first, weights }, band) => {
    for (let bin = 0; bin < bins; bin++) {
      worst = Math.max(worst, Math.abs(filters[band * bins + bin]! - (weights[bin - first] ?? 0)));
    }
  });
  return worst;
}
