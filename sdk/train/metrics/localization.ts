/** The figure of event localization (AVE): how many seconds of all clips got the right label. It knows nothing of models; background is the last class. */
import { MettleError } from '../../errors.ts';

/** Values row by row: what adapters and training steps hand on. */
export type Rows = {
  /** [rows, columns] */
  shape: readonly number[];
  /** Row by row. */
  data: ArrayLike<number>;
};

/** Label per second as the most probable of classes and background: logits [..., classes + 1] -> Int32Array, one per row. */
export function decodeArgmax(logits: Rows): Int32Array {
  const columns = lastOf(logits);
  return Int32Array.from({ length: logits.data.length / columns }, (_, row) =>
    argmax(logits.data, row * columns, columns),
  );
}

/**
 * Label per second by the gate of CMBS and DG-SCT: where sigmoid(event) is above one half the clip's most probable class, else background.
 * `event` is [..., seconds] logits per second, `classes` [..., classes] logits per clip without background.
 */
export function decodeGated(event: Rows, classes: Rows): Int32Array {
  const seconds = lastOf(event);
  const columns = lastOf(classes);
  const clips = event.data.length / seconds;
  if (classes.data.length !== clips * columns) {
    throw new MettleError(
      'invalid-argument',
      `classes has shape [${classes.shape}], event [${event.shape}]; expected one row of classes per clip.`,
    );
  }
  return Int32Array.from({ length: event.data.length }, (_, index) =>
    // In float32, as the published code: logits below 6e-8 come out as one half exactly.
    Math.fround(1 / (1 + Math.exp(-event.data[index]!))) > 0.5
      ? argmax(classes.data, Math.floor(index / seconds) * columns, columns)
      : columns,
  );
}

/** Segment accuracy over everything added. */
export class LocalizationScore {
  #right = 0;
  #seconds = 0;

  /** Labels per second of one clip or of many. Throws `invalid-argument` if the lengths differ. */
  add(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
    if (predicted.length !== truth.length) {
      throw new MettleError(
        'invalid-argument',
        `${predicted.length} predicted labels for ${truth.length} true ones; expected one per second.`,
      );
    }
    for (let i = 0; i < truth.length; i++) if (predicted[i] === truth[i]) this.#right++;
    this.#seconds += truth.length;
  }

  /** Percent of seconds that are right, 0 if nothing was added. */
  get accuracy(): number {
    return this.#seconds === 0 ? 0 : (100 * this.#right) / this.#seconds;
  }
}

function argmax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}

function lastOf({ shape, data }: Rows): number {
  const columns = shape.at(-1) ?? 0;
  if (columns >= 1 && shape.reduce((product, size) => product * size, 1) === data.length) return columns;
  throw new MettleError('invalid-argument', `${data.length} values do not fill the shape [${shape}].`);
}
