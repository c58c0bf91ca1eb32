/** One pass over a clip: decode a second, run the backbone once, let every adapter read it; at the end turn outputs into typed results. */

import { untilAborted } from './abort.ts';
import { bordersOutput } from './contract/borders.ts';
import type { AudioTrack, Clip, Segment, VideoTrack } from './contract/clip.ts';
import { type SensesFamiliarity, sensesFamiliarity, UNFAMILIAR, type Unfamiliar } from './contract/familiar.ts';
import type { AdapterOutputs } from './contract/model.ts';
import { callback, flag, oneOf, type Rules, signal, someOf, whole } from './contract/options.ts';
import { formatOf } from './contract/pair.ts';
import { TASKS, type Task } from './contract/task.ts';
import type { Warning } from './errors.ts';
import type { LoadedEngine } from './load.ts';
import type { Resident } from './residents.ts';
import { toAnswer } from './tasks/answer.ts';
import { contextOf, type ResultContext, spanOf } from './tasks/context.ts';
import { toExplained } from './tasks/explain.ts';
import type { Timing } from './tasks/given.ts';
import { toMask } from './tasks/segmentation.ts';
import type { ExplainedSecond, Mask, TaskResult } from './tasks/types.ts';

/** How far a call is. */
export type CallProgress = {
  /** Seconds of the clip. */
  phase: 'segments';
  /** Seconds analysed, of `total`. */
  done: number;
  /** Seconds that the clip has. */
  total: number;
};

/** What every call takes. */
export type CallOptions = {
  /**
   * What becomes of answers about seconds that are unlike all that an adapter learned from: `withhold` (the default) leaves them out and counts them in
   * `withheld`, `show` gives them all the same.
   */
  unfamiliar?: Unfamiliar;
  /**
   * Tell where the meta-tokens of each adapter attended, in `explanation` of its result. The first time an adapter is asked so, its files are read once more, from the cache
   * where they are kept. Rejects with `incompatible` where an adapter has no such meta-tokens.
   */
  explain?: boolean;
  /** Ends the call: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each second of the clip. */
  onProgress?: (progress: CallProgress) => void;
};

/** What `analyze` takes beside it. */
export type AnalyzeOptions = CallOptions & {
  /** Tasks to run. Default: those of all loaded adapters. */
  tasks?: readonly Task[];
  /** Each second as it was decoded, before the models see it. */
  onSegment?: (segment: Segment) => void;
  /** Give each segment a thumbnail of this many pixels in height. */
  thumbnailHeight?: number;
};

export const callRules: Rules<CallOptions> = {
  unfamiliar: oneOf(...UNFAMILIAR),
  explain: flag,
  signal,
  onProgress: callback,
};
export const analyzeRules: Rules<AnalyzeOptions> = {
  ...callRules,
  tasks: someOf(...TASKS),
  onSegment: callback,
  thumbnailHeight: whole(1, 8192),
};

/** What all adapters found in one clip. */
export type Analysis = {
  /** Seconds. */
  duration: number;
  /** How many segments of one second it was cut into. */
  segments: number;
  /** The picture; null where there is none. */
  video: VideoTrack | null;
  /** The sound; null where there is none. */
  audio: AudioTrack | null;
  /** What there is to know about the clip as a whole. */
  warnings: Warning[];
  /** One per adapter, in the order they were loaded. */
  results: TaskResult[];
  /** What took how long. */
  timing: Timing;
};

type Asked = Pick<Resident, 'key' | 'manifest'>;
type Pass = {
  masks: Map<string, Mask[]>;
  /** By key; empty where nobody asked. */
  explained: Map<string, ExplainedSecond[]>;
  /** By key, of those that have a measure. */
  familiarity: Map<string, SensesFamiliarity[]>;
  /** By key, of those that have a border head; null for a second without sound. */
  heard: Map<string, (Float32Array | null)[]>;
  outputs: Record<string, AdapterOutputs>;
  decodeMs: number;
  modelMs: number;
};

/** Runs `adapters` over the clip on one backbone pass. Rejects with `signal.reason` when aborted; the engine then keeps nothing of the clip. */
export async function analyzeClip(
  loaded: Pick<LoadedEngine, 'engine' | 'backbone'>,
  clip: Clip,
  residents: readonly Asked[],
  options: AnalyzeOptions,
): Promise<Analysis> {
  const started = performance.now();
  const measured = residents.filter(({ manifest }) => manifest.familiarity);
  const familiarity = new Map(measured.map(({ key }) => [key, [] as SensesFamiliarity[]]));
  const bordered = residents.filter(({ manifest }) => manifest.borders);
  const heard = new Map(bordered.map(({ key }) => [key, [] as (Float32Array | null)[]]));
  const context = ({ key, manifest }: Asked): ResultContext => ({
    ...contextOf(manifest, familiarity.get(key) ?? [], heard.get(key)),
    duration: clip.duration,
    segments: clip.segmentCount,
    hasAudio: clip.audio !== null,
    hasPicture: clip.video !== null,
    warnings: clip.warnings,
    unfamiliar: options.unfamiliar,
  });
  const { engine } = loaded;
  const begun = engine.begin(
    residents.map(({ key }) => key),
    options.explain,
  );
  try {
    const run = await untilAborted(begun, options.signal);
    const pass = await passOver(loaded, clip, run, residents, { familiarity, heard }, context, options);
    const results = residents.map((resident) => {
      const { key, manifest } = resident;
      const answer = toAnswer(manifest, pass.outputs[key]!, pass.masks.get(key)!, context(resident));
      return options.explain ? { ...answer, explanation: pass.explained.get(key)! } : answer;
    });
    return {
      duration: clip.duration,
      segments: clip.segmentCount,
      video: clip.video,
      audio: clip.audio,
      warnings: [...clip.warnings],
      results,
      timing: { decodeMs: pass.decodeMs, modelMs: pass.modelMs, totalMs: performance.now() - started },
    };
  } catch (error) {
    begun.then((run) => engine.cancel(run)).catch(() => {});
    throw error;
  }
}

/** The next second is decoded while the models work on this one; never more than that one is held. */
async function passOver(
  { engine, backbone }: Pick<LoadedEngine, 'engine' | 'backbone'>,
  clip: Clip,
  run: number,
  residents: readonly Asked[],
  kept: Pick<Pass, 'familiarity' | 'heard'>,
  context: (asked: Asked) => ResultContext,
  { explain, signal, onProgress, onSegment, thumbnailHeight }: AnalyzeOptions,
): Promise<Pass> {
  const format = { ...formatOf(backbone), thumbnailHeight };
  const masks: Pass['masks'] = new Map(residents.map(({ key }) => [key, []]));
  const explained: Pass['explained'] = new Map(residents.map(({ key }) => [key, []]));
  const pass: Pass = { masks, explained, ...kept, outputs: {}, decodeMs: 0, modelMs: 0 };
  const total = clip.segmentCount;

  const push = async ({ frame, pcm, index }: Segment): Promise<void> => {
    const start = performance.now();
    const outputs = await engine.push(run, { frame, pcm: pcm as Float32Array<ArrayBuffer> | null });
    for (const resident of residents) {
      kept.familiarity.get(resident.key)?.push(sensesFamiliarity(outputs[resident.key]!));
      kept.heard.get(resident.key)?.push(pcm && outputs[resident.key]![bordersOutput]!.data);
      if (explain) explained.get(resident.key)!.push(toExplained(outputs[resident.key]!, spanOf(clip, index)));
      if (resident.manifest.task === 'segment') {
        pass.masks.get(resident.key)!.push(toMask(outputs[resident.key]!, context(resident), index));
      }
    }
    pass.modelMs += performance.now() - start;
    onProgress?.({ phase: 'segments', done: index + 1, total });
  };

  onProgress?.({ phase: 'segments', done: 0, total });
  let pushed: Promise<void> = Promise.resolve();
  let waitingSince = performance.now();
  for await (const segment of clip.segments(format, { signal })) {
    pass.decodeMs += performance.now() - waitingSince;
    onSegment?.(segment);
    await untilAborted(pushed, signal);
    signal?.throwIfAborted();
    pushed = push(segment);
    // It is awaited on the next turn; until then a failure must not count as unhandled.
    pushed.catch(() => {});
    waitingSince = performance.now();
  }
  await untilAborted(pushed, signal);
  signal?.throwIfAborted();
  const start = performance.now();
  pass.outputs = await untilAborted(engine.finish(run), signal);
  pass.modelMs += performance.now() - start;
  return pass;
}
