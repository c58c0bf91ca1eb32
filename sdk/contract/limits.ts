/**
 * How much a stranger's file may ask for, all in one place: checked where the figure is first known, before memory is taken for it. Each limit is far above what
 * networks, pictures and tables of the field have; `docs/security.md` lists them for users. Not a place for what a format itself forbids.
 */
import type { MettleError } from '../errors.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

export const limits = {
  /** Bytes of manifest.json and registry.json. */
  manifestBytes: 1 * MiB,
  /** Bytes of a canary, which is read whenever a model is loaded. */
  canaryBytes: 1 * MiB,
  /** Bytes of an adapter's measure of familiarity, likewise. */
  familiarityBytes: 1 * MiB,
  /** Bytes of one file of a package: what one protobuf message, and one buffer of most browsers, can hold. */
  fileBytes: 2 * GiB,
  /** Fewest bytes of a piece of a file that has a digest of its own: smaller ones would only make manifests long. */
  chunkBytes: 4096,
  /** Bytes that one variant of a model may have together: what WebAssembly can address. */
  modelBytes: 4 * GiB,
  /** Numbers that all outputs of one graph have together, and what a clip graph reads of a whole window: 256 MiB of float32. */
  outputElements: 2 ** 26,
  /** Numbers that all taps of a backbone have together for one second: 256 MiB of float32. Swin-V2-L has 14 million. */
  tapElements: 2 ** 26,
  /** Pixels of a backbone's picture. */
  inputPixels: 2 ** 22,
  /** Samples of sound behind one second, repeats counted: HTS-AT reads 320,000. */
  inputSamples: 2 ** 23,
  /** Numbers of a log-mel picture, frames x mels: HTS-AT's has 64,000. */
  melElements: 2 ** 22,
  /** Weights of the mel filters, mels x (fftSize / 2 + 1). */
  melFilterElements: 2 ** 24,
  /** Points of all Fourier transforms behind one second, frames x fftSize: HTS-AT's are a million. */
  fftPoints: 2 ** 26,
  /** Numbers that one adapter keeps of a clip, for its clip graph and of its answers: 1 GiB of float32. A day of toybox-ave's are 90 million. */
  clipElements: 2 ** 28,
  /** Bytes that an ONNX session is estimated to take at most. */
  sessionBytes: 4 * GiB,
  /** Numbers of all constants of a TensorFlow Lite file, which several tensors may share: 1 GiB of float32. */
  tfliteNumbers: 2 ** 28,
  /** Tables, names and entries of lists that are copied out of a TensorFlow Lite file. Real ones have some hundred thousand. */
  tfliteItems: 8_000_000,
  /** Bytes that the pixels of a PNG or JPEG take when they are unpacked: 33 million pixels of RGBA. */
  pictureBytes: 128 * MiB,
  /** Pixels along each side of a picture. */
  pictureSide: 8192,
  /** Characters, rows and fields of a table. */
  tableCharacters: 64 * MiB,
  tableRows: 1_000_000,
  tableFields: 4_000_000,
  /** Bytes of a file of a data set that is read whole: a picture, or the sound beside extracted frames. */
  dataFileBytes: 512 * MiB,
  /** Bytes of a zipped adapter, and of what it unpacks to. */
  zipBytes: 256 * MiB,
  /** Bytes of a list of films: some million addresses. */
  listBytes: 512 * MiB,
  /** Bytes of a text that an option names: a configuration, a note, a front end. */
  noteBytes: 1 * MiB,
} as const;

/** Most bytes of a file, and the error where it is longer; `found` is its size, or what has arrived so far. */
export type ByteLimit = { bytes: number; exceeded(found: number): MettleError };

/** A number of bytes for a message, with the unit in which it is short. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
