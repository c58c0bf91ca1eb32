/** Where a trainer takes its examples from, in which order, and how they become batches of one size. */
import { MettleError } from '../../errors.ts';
import { decodeHalfInto } from '../../onnx/float16.ts';
import { sizeOf } from '../../ops/index.ts';
import { seededRandom } from '../../random.ts';
import type { Batch } from './runner.ts';
import type { InputShapes } from './step.ts';

/** A set of examples; indices run from 0 to `size - 1`. */
export type BatchSource = {
  /** How many examples there are. */
  readonly size: number;
  /** What an example is called in messages. */
  id(index: number): string;
  /** The arrays of one example by input name, each the size of the input without the batch's axis. */
  read(index: number): Example | Promise<Example>;
};

/** Arrays by input name; a Uint16Array holds bit patterns of half precision, which become numbers in the batch and not before. */
export type Example = Record<string, Float32Array | Uint16Array>;

/** A permutation of `size` indices that the seed and the epoch alone decide. */
export function epochOrder(size: number, seed: number, epoch: number): Uint32Array {
  const random = seededRandom(`${seed} order ${epoch}`);
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export const stepsPerEpoch = (size: number, batch: number): number => Math.ceil(size / batch);

/** Indices of the examples of a step, from 0; fewer than `batch` at the end of an epoch. */
export function batchIndices(size: number, batch: number, seed: number, step: number): number[] {
  const perEpoch = stepsPerEpoch(size, batch);
  const at = step % perEpoch;
  const order = epochOrder(size, seed, Math.floor(step / perEpoch));
  return [...order.subarray(at * batch, (at + 1) * batch)];
}

/** Reads what a step needs while the step before it is computed; at most one step ahead, so results are those of reading in turn. */
export class ReadAhead<T> {
  readonly #read: (step: number) => Promise<T>;
  readonly #steps: number;
  #next: { step: number; work: Promise<T> } | null = null;

  constructor(steps: number, read: (step: number) => Promise<T>) {
    this.#steps = steps;
    this.#read = read;
  }

  /** What `read` gives for this step. When it is there, the next one is begun. */
  async take(step: number): Promise<T> {
    const found = await (this.#next?.step === step ? this.#next.work : this.#read(step));
    this.#next = step + 1 < this.#steps ? { step: step + 1, work: this.#read(step + 1) } : null;
    // A failure is told when its turn comes, and not at all if it never does.
    this.#next?.work.catch(() => {});
    return found;
  }

  /** Ends when nothing is being read any more. */
  async settle(): Promise<void> {
    await this.#next?.work.catch(() => {});
  }
}

/**
 * Arrays of a whole batch. Where there are fewer examples than its size, the rest is zeros, masks and weights too, so that it counts for nothing.
 * Throws `invalid-argument` where an example lacks an input or gives it another size.
 */
export async function stackBatch(
  source: BatchSource,
  indices: readonly number[],
  shapes: InputShapes,
  batch: number,
): Promise<Batch> {
  const stacked: Batch = {};
  for (const [name, shape] of Object.entries(shapes)) stacked[name] = new Float32Array(sizeOf(shape));
  const examples = await Promise.all(indices.map((index) => source.read(index)));
  examples.forEach((arrays, slot) => {
    for (const [name, into] of Object.entries(stacked)) {
      const size = into.length / batch;
      const data = arrays[name];
      if (data?.length !== size) {
        const has = data ? `${data.length} numbers for` : 'no';
        throw new MettleError(
          'invalid-argument',
          `Example "${source.id(indices[slot]!)}" has ${has} input "${name}", expected ${size}.`,
          { hint: 'Its data must come from the same backbone and configuration as the model.' },
        );
      }
      if (data instanceof Uint16Array) decodeHalfInto(data, into, slot * size);
      else into.set(data, slot * size);
    }
  });
  return stacked;
}
