/**
 * One graph that is ready to run: creation from bytes, runs, release, and the runtime's failures in our words. Never call it but from a job of the
 * {@link RuntimeQueue}. Knows no models: names and tensors only.
 */

import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { runtimeHint } from '../contract/assets-hint.ts';
import type { Runtime } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';

export type Tensors = Record<string, Tensor>;

/** A graph and the file that its initializers point into, if any; `weights.path` is the location that is written in the graph. */
export type GraphSource = {
  /** For messages: which graph of which model. */
  label: string;
  graph: Uint8Array;
  weights?: { path: string; data: Uint8Array };
};

/** What a graph must take and give. All outputs, or those named in `onGpu`, stay on the GPU where there is one. */
export type GraphContract = {
  inputs: readonly string[];
  outputs: readonly string[];
  onGpu?: boolean | readonly string[];
};

export class GraphSession {
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #label: string;

  private constructor(runtime: Runtime, session: InferenceSession, label: string) {
    this.#runtime = runtime;
    this.#session = session;
    this.#label = label;
  }

  /** Throws `device` where the runtime cannot create the session on a GPU or cannot start, `invalid-file` or `incompatible` where the graph is at fault. */
  static async open(runtime: Runtime, source: GraphSource, contract: GraphContract): Promise<GraphSession> {
    const { weights } = source;
    const stay = contract.onGpu === true ? contract.outputs : contract.onGpu || [];
    const locations = Object.fromEntries(stay.map((name) => [name, 'gpu-buffer'] as const));
    const creation = runtime.ort.InferenceSession.create(source.graph, {
      executionProviders: [runtime.provider],
      ...(weights ? { externalData: [{ path: weights.path, data: weights.data }] } : {}),
      logSeverityLevel: 4,
      ...(runtime.device === 'cpu' ? { intraOpNumThreads: runtime.threads } : {}),
      ...(runtime.device === 'webgpu' && stay.length > 0 ? { preferredOutputLocation: locations } : {}),
    });
    const session = await unlessLost(runtime.lost, creation).catch((error: unknown) => {
      throw creationError(runtime, source.label, error);
    });
    const opened = new GraphSession(runtime, session, source.label);
    try {
      opened.#check(contract);
    } catch (error) {
      await opened.release();
      throw error;
    }
    return opened;
  }

  /** Runs the graph. `feeds` may name more than the graph reads; exactly `fetches` come back. Throws `device` if the GPU was lost. */
  async run(feeds: Tensors, fetches: readonly string[]): Promise<Tensors> {
    const read = Object.fromEntries(this.#session.inputNames.map((name) => [name, feeds[name]!]));
    try {
      return (await unlessLost(this.#runtime.lost, this.#session.run(read, fetches))) as Tensors;
    } catch (error) {
      throw await this.#runError(error);
    }
  }

  /** Never throws: on a lost device there is nothing left to release. */
  async release(): Promise<void> {
    await unlessLost(this.#runtime.lost, this.#session.release()).catch(() => {});
  }

  #check({ inputs, outputs }: GraphContract): void {
    const strange = this.#session.inputNames.filter((name) => !inputs.includes(name));
    const absent = outputs.filter((name) => !this.#session.outputNames.includes(name));
    if (strange.length === 0 && absent.length === 0) return;
    const faults = [
      ...(strange.length > 0 ? [`reads ${strange.join(', ')}, which nobody gives`] : []),
      ...(absent.length > 0 ? [`lacks the outputs ${absent.join(', ')}`] : []),
    ];
    throw new MettleError('incompatible', `${this.#label} does not fit its manifest: it ${faults.join(' and ')}.`, {
      hint: 'Export the model again, so that graphs and manifest come from one run.',
    });
  }

  async #runError(error: unknown): Promise<unknown> {
    const lost = this.#runtime.lost;
    // The runtime's error may arrive a moment before the news that the device is gone.
    if (!lost?.aborted) await new Promise((resolve) => setTimeout(resolve, 0));
    if (lost?.aborted) return lostWhile(lost.reason, this.#label);
    if (error instanceof MettleError) return error;
    const message = messageOf(error);
    if (this.#runtime.device === 'webgpu' && tellsLoss(message)) {
      return new MettleError('device', `The GPU device was lost: ${this.#label} failed with "${message}".`, {
        hint: 'Make a new engine or training once the GPU is back, or use another device; a training goes on from its checkpoint.',
        cause: error,
      });
    }
    return new MettleError('internal', `${this.#label} failed on ${this.#runtime.device}: ${message}`, {
      cause: error,
    });
  }
}

/** A network that asks too much of a GPU takes it down: who ran at that moment is worth knowing. */
function lostWhile(reason: unknown, label: string): unknown {
  if (!(reason instanceof MettleError)) return reason;
  return new MettleError('device', `${reason.message.replace(/\.$/, '')}, while ${uncapitalized(label)} ran.`, {
    hint: `${reason.hint} Where the same model loses it again, the model is at fault: take a smaller one, or device "wasm".`.trim(),
    cause: reason,
  });
}

const uncapitalized = (text: string): string => text.replace(/^The /, 'the ');

/** Frees what lies on the GPU; tensors of the CPU are left to the garbage collector. */
export function disposeTensors(tensors: Tensors): void {
  for (const tensor of Object.values(tensors)) if (tensor.location === 'gpu-buffer') tensor.dispose();
}

/** Settles as `work` does, but rejects at once when the device is lost: the runtime may then never answer. */
async function unlessLost<T>(lost: AbortSignal | null, work: Promise<T>): Promise<T> {
  if (!lost) return work;
  const { promise, onLost } = rejectionOf(lost);
  try {
    return await Promise.race([promise, work]);
  } finally {
    lost.removeEventListener('abort', onLost);
  }
}

function rejectionOf(lost: AbortSignal): { promise: Promise<never>; onLost: () => void } {
  let onLost = () => {};
  const promise = new Promise<never>((_, reject) => {
    onLost = () => reject(lost.reason);
  });
  if (lost.aborted) onLost();
  else lost.addEventListener('abort', onLost);
  return { promise, onLost };
}

function creationError(runtime: Runtime, label: string, error: unknown): unknown {
  if (error instanceof MettleError) return error;
  const message = messageOf(error);
  if (message.includes('no available backend found')) {
    return new MettleError('device', `The runtime ${runtime.name} could not start: ${message}`, {
      hint: runtimeHint,
      cause: error,
    });
  }
  if (tellsShortage(message)) {
    const room = runtime.device === 'wasm' ? 'A page of WebAssembly holds 4 GiB at most' : 'The memory is used up';
    return new MettleError('device', `${label} does not fit into the memory of ${runtime.name}: ${message}`, {
      hint: `${room}: take a smaller form of the model, or another device.`,
      cause: error,
    });
  }
  if (tellsGraphFault(message)) {
    return new MettleError('invalid-file', `${label} is no graph that ${runtime.name} can load: ${message}`, {
      hint: 'The model is at fault, not the device: export it again, or get another release of it.',
      cause: error,
    });
  }
  if (runtime.device === 'webgpu') {
    return new MettleError('device', `${label} could not be loaded on WebGPU: ${message}`, {
      hint: 'Use device "auto" or "wasm", and check that the GPU has a driver and memory.',
      cause: error,
    });
  }
  if (runtime.device === 'cuda') {
    return new MettleError('device', `${label} could not be loaded on CUDA: ${message}`, {
      hint: 'Check that the NVIDIA driver, CUDA 12 and cuDNN 9 are installed, or use device "cpu".',
      cause: error,
    });
  }
  return new MettleError('invalid-file', `${label} is no graph that ${runtime.name} can load: ${message}`, {
    cause: error,
  });
}

/** Where nothing tells that the GPU is gone, as in Node, the runtime's message does: its own words, or those of Dawn, Vulkan and Direct3D beneath it. */
const tellsLoss = (message: string): boolean =>
  /\bdevice\b\W*(is|was|has been)?\W*(lost|removed)\b|DEVICE_(LOST|REMOVED|HUNG|RESET)/i.test(message);

/** Whether a runtime's message finds fault with the graph itself, which no other device would mend. */
const tellsGraphFault = (message: string): boolean =>
  /INVALID_(PROTOBUF|GRAPH)|protobuf parsing failed|invalid graph|ShapeInferenceError|TypeInferenceError|not a registered (function|op)|type error: |this is an invalid model/i.test(
    message,
  );

/** Whether a runtime's message tells of a lack of memory, in the words of C++, of V8 and of Emscripten. */
export const tellsShortage = (message: string): boolean =>
  /\bbad_alloc\b|\bout of memory\b|allocation failed|cannot enlarge memory|\bOOM\b/i.test(message);

/** The runtime's message without the place in its own sources that it begins with. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^\S*\.cc:\d+ .*? was false\. /s, '').trim();
}
