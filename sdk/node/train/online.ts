/**
 * What an adapter says of a clip as it runs, beside what it says of the whole: the engine's rolling context second by second, the answers and the hysteresis of the live
 * engine, and the figures of online parsing.
 */
import { sensesFamiliarity } from '../../contract/familiar.ts';
import type { AdapterManifest } from '../../contract/manifest.ts';
import type { AdapterOutputs } from '../../contract/model.ts';
import type { Engine, EngineSegment } from '../../engine/types.ts';
import { answerOf } from '../../live/answer.ts';
import { defaultSteadiness } from '../../live/options.ts';
import { EventTracker } from '../../live/tracker.ts';
import { toAnswer } from '../../tasks/answer.ts';
import { contextOf } from '../../tasks/context.ts';
import { foundEvents } from '../../tasks/given.ts';
import type { ParsedEvent } from '../../tasks/types.ts';
import type { DatasetItem } from '../../train/data/types.ts';
import { decodeArgmax } from '../../train/metrics/localization.ts';
import { EventScore, type OnlineFigures } from '../../train/metrics/online.ts';
import { type Activity, decodeParsing } from '../../train/metrics/parsing.ts';

/** One clip, second by second. */
export class ClipWatch {
  readonly #engine: Engine;
  readonly #id: string;
  readonly #run: Promise<number>;
  /** Of each second what the engine says at its end, [1, ...] each. */
  readonly looks: AdapterOutputs[] = [];
  hasAudio = false;
  hasPicture = false;

  /** `context` in seconds. */
  constructor(engine: Engine, { id }: AdapterManifest, context: number) {
    this.#engine = engine;
    this.#id = id;
    this.#run = engine.beginLive([id], context);
  }

  /** The next second; of earlier ones the engine keeps what its context holds. */
  async look(segment: EngineSegment): Promise<void> {
    const outputs = await this.#engine.look(await this.#run, segment, this.looks.length + 1);
    this.looks.push(outputs[this.#id]!);
    this.hasAudio ||= segment.pcm !== null;
    this.hasPicture ||= segment.frame !== null;
  }

  async close(): Promise<void> {
    await this.#engine.cancel(await this.#run);
  }
}

/** Clips as they ran and as wholes, against the truth. */
export class OnlineScore {
  readonly #adapter: AdapterManifest;
  readonly #context: number;
  readonly #published: { offline: EventScore; online: EventScore };
  readonly #told: { offline: EventScore; online: EventScore };

  /** `context` in seconds. */
  constructor(adapter: AdapterManifest, context: number) {
    const scores = () => ({
      offline: new EventScore(adapter.classes.length),
      online: new EventScore(adapter.classes.length),
    });
    this.#adapter = adapter;
    this.#context = context;
    this.#published = scores();
    this.#told = scores();
  }

  /** `whole` is what the engine says of the whole clip. A clip of which only the union of its labels is known does not count. */
  add(watch: ClipWatch, whole: AdapterOutputs, { labels }: Pick<DatasetItem, 'labels'>): void {
    const { classes } = this.#adapter;
    const truth = activityOf(labels, classes.length, watch.looks.length);
    if (!truth) return;
    const { length } = truth.audio;
    const cut = ({ audio, visual }: Activity): Activity => ({
      audio: Array.from(audio).slice(0, length),
      visual: Array.from(visual).slice(0, length),
    });
    const claims = {
      published: { offline: this.#decoded(whole), online: joined(watch.looks.map((look) => this.#decoded(look))) },
      told: { offline: this.#toldOffline(watch, whole), online: this.#toldOnline(watch) },
    };
    for (const way of ['offline', 'online'] as const) {
      this.#published[way].add(cut(claims.published[way]), truth);
      this.#told[way].add(cut(claims.told[way]), truth);
    }
  }

  figures(): OnlineFigures {
    const both = ({ offline, online }: { offline: EventScore; online: EventScore }) => ({
      offline: offline.figures(),
      online: online.figures(),
    });
    return { context: this.#context, published: both(this.#published), told: both(this.#told) };
  }

  /** By the published rules; of a class that the clip has as a whole each row of `audioClip` and `visualClip` says so, of which the largest counts. */
  #decoded(outputs: AdapterOutputs): Activity {
    const { task, classes } = this.#adapter;
    if (task === 'localize') return oneHot(decodeArgmax(outputs.logits!), classes.length);
    const decode = (sense: 'audio' | 'visual'): Uint8Array =>
      decodeParsing(outputs[sense]!.data, largest(outputs[`${sense}Clip`]!.data, classes.length));
    return { audio: decode('audio'), visual: decode('visual') };
  }

  #toldOffline({ looks, hasAudio, hasPicture }: ClipWatch, whole: AdapterOutputs): Activity {
    const seconds = looks.length;
    const familiarity = this.#adapter.familiarity ? looks.map(sensesFamiliarity) : [];
    const context = { ...contextOf(this.#adapter, familiarity), duration: seconds, segments: seconds };
    const result = toAnswer(this.#adapter, whole, [], { ...context, hasAudio, hasPicture });
    return this.#painted(foundEvents([result]), seconds);
  }

  /** The events that `watch` ends, with a hop of a second. */
  #toldOnline({ looks, hasAudio, hasPicture }: ClipWatch): Activity {
    const tracker = new EventTracker(defaultSteadiness);
    const ended = looks.flatMap((outputs, second) => {
      const span = { start: second, end: second + 1 };
      return tracker.next(span, [answerOf(this.#adapter, outputs, { ...span, hasAudio, hasPicture })]).ended;
    });
    return this.#painted([...ended, ...tracker.finish().ended], looks.length);
  }

  /** Events of whole seconds as rows of flags; what is both at once follows from what is heard and what is seen, or is told alone. */
  #painted(events: readonly ParsedEvent[], seconds: number): Activity {
    const width = this.#adapter.classes.length;
    const flags = { audio: new Uint8Array(seconds * width), visual: new Uint8Array(seconds * width) };
    for (const { modality, classIndex, start, end } of events) {
      for (let second = Math.round(start); second < Math.round(end); second++) {
        if (modality !== 'visual') flags.audio[second * width + classIndex] = 1;
        if (modality !== 'audio') flags.visual[second * width + classIndex] = 1;
      }
    }
    return flags;
  }
}

/** What is true of the first `most` seconds; null where only the union is known. What is localized is heard and seen. */
function activityOf(labels: DatasetItem['labels'], classes: number, most: number): Activity | null {
  if (labels.task === 'segment') return null;
  if (labels.task === 'localize') return oneHot(labels.seconds.subarray(0, most), classes);
  const { audio, visual } = labels;
  return audio && visual
    ? { audio: audio.subarray(0, most * classes), visual: visual.subarray(0, most * classes) }
    : null;
}

/** Labels per second, background last, as flags [seconds, classes] of both senses. */
function oneHot(labels: Int32Array, classes: number): Activity {
  const flags = new Uint8Array(labels.length * classes);
  labels.forEach((label, second) => {
    if (label < classes) flags[second * classes + label] = 1;
  });
  return { audio: flags, visual: flags };
}

const joined = (rows: readonly Activity[]): Activity => ({
  audio: rows.flatMap(({ audio }) => Array.from(audio)),
  visual: rows.flatMap(({ visual }) => Array.from(visual)),
});

/** Per class over all rows. */
function largest(rows: Float32Array, classes: number): Float32Array {
  const most = new Float32Array(classes);
  rows.forEach((p, at) => {
    most[at % classes] = Math.max(most[at % classes]!, p);
  });
  return most;
}
