/** Runs the forms of one graph beside its float32 form, in one process: how far their outputs are from it, and how long each takes. Knows no files. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Device } from '../contract/device.ts';
import type { Precision } from '../contract/manifest.ts';
import type { Ort, Runtime } from '../contract/runtime.ts';
import { gaussian, seededRandom } from '../random.ts';
import { demandFinite } from './canary.ts';

/** One form of a graph, ready to be loaded. */
export type RunnableForm = {
  precision: Precision;
  /** Bytes of graph and weights; graphs of one part and form may share the latter. */
  bytes: number;
  open(options: InferenceSession.SessionOptions): Promise<InferenceSession>;
};

/** Distance of an output from that of float32, over all its numbers and all inputs. */
export type OutputError = {
  /** Length of the difference over the length of the reference. */
  relativeError: number;
  cosine: number;
};

/** Where times are taken; on another kind of machine their ratios are others. */
export type Place = { machine: string; device: Device; runtime: string; threads: number };

/**
 * Milliseconds of one run (of a backbone: one segment), of float32 and their ratio, below 1 where the form is faster. Each is the least of `rounds` rounds, in
 * which all forms take turns. Null, and why, where a time would say nothing or could not be had.
 */
export type Speed = { place: Place } & (
  | { ms: number; float32Ms: number; ratio: number; rounds: number }
  | { ms: null; float32Ms: null; ratio: null; rounds: 0; why: string }
);

export type FormReport = {
  precision: Precision;
  bytes: number;
  /** By name; none where the form could not be run. */
  outputs: Record<string, OutputError>;
  /** Only where times were asked for. */
  speed?: Speed;
};

export type CompareOptions = {
  ort: Ort;
  /** Decides the noise that the graphs are run on. */
  seed: string;
  /** How many inputs the outputs are compared on. */
  inputs: number;
  /** Takes times too, and notes that they were taken here. */
  place?: Place;
  signal?: AbortSignal;
};

/** Rounds are made until they are as many or have taken so long, and never fewer than the least that says something. */
const rounds = { most: 20, least: 3, milliseconds: 2000 };

/** Runs all `forms` on the same noise as `reference`, which may be one of them, and then in turns. Errors of the runtime pass through; throws `invalid-file` for numbers that are not finite. */
export async function compareForms(
  reference: RunnableForm,
  forms: Readonly<Record<string, RunnableForm>>,
  options: CompareOptions,
): Promise<Record<string, FormReport>> {
  const { place, signal } = options;
  const sessions = new Map<RunnableForm, InferenceSession>();
  try {
    for (const form of [reference, ...Object.values(forms)]) {
      signal?.throwIfAborted();
      if (!sessions.has(form)) sessions.set(form, await form.open(sessionOptions(place)));
    }
    const outputs = new Map<RunnableForm, Arrays>();
    for (const [form, session] of sessions) {
      const arrays = await runOnNoise(session, options);
      const who = form === reference ? 'The model' : `Its form ${form.precision}`;
      for (const [name, runs] of Object.entries(arrays))
        for (const run of runs) demandFinite({ run: { [name]: run } }, who);
      outputs.set(form, arrays);
    }
    const speedOf = place && (await takeTurns(reference, sessions, place, options));
    const expected = Object.entries(outputs.get(reference)!);
    const entries = Object.entries(forms).map(([name, form]): [string, FormReport] => {
      const actual = outputs.get(form)!;
      const errors = expected.map(([output, arrays]) => [output, errorOf(actual[output]!, arrays)]);
      const { precision, bytes } = form;
      const speed = speedOf && { speed: speedOf(form) };
      return [name, { precision, bytes, outputs: Object.fromEntries(errors), ...speed }];
    });
    return Object.fromEntries(entries);
  } finally {
    for (const session of sessions.values()) await session.release();
  }
}

export const placeOf = ({ device, name, threads }: Runtime, machine: string): Place => ({
  machine,
  device,
  runtime: name,
  threads,
});

export const notTimed = (place: Place, why: string): Speed => ({
  place,
  ms: null,
  float32Ms: null,
  ratio: null,
  rounds: 0,
  why,
});

/** `actual` against `expected`, arrays of one output for several inputs. */
export function errorOf(actual: readonly Float32Array[], expected: readonly Float32Array[]): OutputError {
  let [product, mine, theirs, difference] = [0, 0, 0, 0];
  expected.forEach((array, s) => {
    array.forEach((y, i) => {
      const x = actual[s]![i]!;
      product += x * y;
      mine += x * x;
      theirs += y * y;
      difference += (x - y) ** 2;
    });
  });
  return { relativeError: Math.sqrt(difference / theirs), cosine: product / Math.sqrt(mine * theirs) };
}

/** Outputs by name, one array per input. */
type Arrays = Record<string, Float32Array[]>;

const sessionOptions = (place?: Place): InferenceSession.SessionOptions => ({
  logSeverityLevel: 4,
  ...(place?.device === 'cpu' ? { intraOpNumThreads: place.threads } : {}),
});

async function runOnNoise(session: InferenceSession, { ort, seed, inputs, signal }: CompareOptions): Promise<Arrays> {
  const outputs: Arrays = Object.fromEntries(session.outputNames.map((name) => [name, []]));
  for (let run = 0; run < inputs; run++) {
    signal?.throwIfAborted();
    const results = await session.run(noise(ort, session, seed, run));
    for (const [name, tensor] of Object.entries(results)) outputs[name]!.push(tensor.data as Float32Array);
  }
  return outputs;
}

/** Seeded noise for every input; every second is there (`mask` is one). */
function noise(ort: Ort, session: InferenceSession, seed: string, run: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) continue;
    const shape = input.shape.map(Number);
    const random = seededRandom(`${seed} ${input.name} ${run}`);
    const length = shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length }, () => (input.name === 'mask' ? 1 : gaussian(random)));
    feeds[input.name] = new ort.Tensor('float32', data, shape);
  }
  return feeds;
}

/** Times sessions that have run before. Every other round goes backwards, because what ran before leaves the caches warm or cold. */
async function takeTurns(
  reference: RunnableForm,
  sessions: ReadonlyMap<RunnableForm, InferenceSession>,
  place: Place,
  { ort, seed, signal }: CompareOptions,
): Promise<(form: RunnableForm) => Speed> {
  const timed = [...sessions].filter(([form]) => reasonAgainst(form) === null);
  const times = new Map<RunnableForm, number[]>(timed.map(([form]) => [form, []]));
  const feeds = noise(ort, sessions.get(reference)!, seed, 0);
  const began = performance.now();
  const isOver = (round: number): boolean =>
    round >= rounds.most || (round >= rounds.least && performance.now() - began > rounds.milliseconds);
  for (let round = 0; !isOver(round); round++) {
    for (const [form, session] of round % 2 === 0 ? timed : timed.toReversed()) {
      signal?.throwIfAborted();
      const begin = performance.now();
      await session.run(feeds);
      times.get(form)!.push(performance.now() - begin);
    }
  }
  const least = (form: RunnableForm): number => Math.round(1000 * Math.min(...times.get(form)!)) / 1000;
  const float32Ms = least(reference);
  return (form) => {
    const why = reasonAgainst(form);
    if (why !== null) return notTimed(place, why);
    const ms = least(form);
    return { place, ms, float32Ms, ratio: ms / float32Ms, rounds: times.get(form)!.length };
  };
}

/** Times are taken on CPUs alone. */
const reasonAgainst = ({ precision }: RunnableForm): string | null =>
  precision === 'float16'
    ? 'A CPU brings float16 to float32 and back around every operation; this form is for GPUs with shader-f16.'
    : null;
