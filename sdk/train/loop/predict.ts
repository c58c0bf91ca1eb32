/** A model's outputs for weights that change, without loss and gradients: what validation needs. */

import type { Runtime } from '../../contract/runtime.ts';
import { RuntimeQueue } from '../../engine/queue.ts';
import { GraphSession } from '../../engine/session.ts';
import type { Weights } from '../../models/params.ts';
import { sizeOf } from '../../ops/index.ts';
import { type BatchSource, stackBatch } from './batches.ts';
import { type Batch, tensorsOf } from './runner.ts';
import { buildForward, type Forward, type InputShapes, type TrainModel } from './step.ts';

/** Owns a session; dispose of it. */
export class Predictor {
  readonly #runtime: Runtime;
  readonly #forward: Forward;
  readonly #parameters: InputShapes;
  readonly #session: GraphSession;
  readonly #queue: RuntimeQueue;

  private constructor(runtime: Runtime, forward: Forward, session: GraphSession, queue: RuntimeQueue) {
    this.#runtime = runtime;
    this.#forward = forward;
    this.#parameters = Object.fromEntries(forward.specs.map(({ name, shape }) => [name, shape]));
    this.#session = session;
    this.#queue = queue;
  }

  static async open(runtime: Runtime, model: TrainModel, batch: number): Promise<Predictor> {
    const forward = buildForward(model, batch);
    const queue = new RuntimeQueue();
    const contract = {
      inputs: [...forward.specs.map(({ name }) => name), ...Object.keys(forward.inputs)],
      outputs: Object.keys(forward.outputs),
    };
    const source = { label: 'The model', graph: forward.onnx };
    const session = await queue.run(() => GraphSession.open(runtime, source, contract));
    return new Predictor(runtime, forward, session, queue);
  }

  /** Calls `visit` with the outputs of each example in order, arrays of their own without the batch's axis; waits for it before it goes on. */
  async each(
    weights: Weights,
    data: BatchSource,
    visit: (outputs: Batch, index: number) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { batch, inputs, outputs } = this.#forward;
    const fetches = Object.keys(outputs);
    const parameters = tensorsOf(this.#runtime, weights, this.#parameters);
    for (let start = 0; start < data.size; start += batch) {
      signal?.throwIfAborted();
      const indices = Array.from({ length: Math.min(batch, data.size - start) }, (_, i) => start + i);
      const stacked = await stackBatch(data, indices, inputs, batch);
      const feeds = { ...parameters, ...tensorsOf(this.#runtime, Object.entries(stacked), inputs) };
      const results = await this.#queue.run(() => this.#session.run(feeds, fetches));
      for (const [slot, index] of indices.entries()) {
        const own = fetches.map((name) => {
          const size = sizeOf(outputs[name]!) / batch;
          return [name, (results[name]!.data as Float32Array).slice(slot * size, (slot + 1) * size)] as const;
        });
        await visit(Object.fromEntries(own), index);
      }
    }
  }

  async dispose(): Promise<void> {
    await this.#queue.dispose(() => this.#session.release());
  }
}
