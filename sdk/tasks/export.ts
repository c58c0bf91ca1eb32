/** Results in formats that other programs read: a JSON document of a stable schema, and WebVTT. No files are written here. */

import type { AudioTrack, VideoTrack } from '../contract/clip.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import { checkOptions, either, list, number, type Rules, record, required, text } from '../contract/options.ts';
import { oneLine } from '../contract/plain-text.ts';
import type { Warning } from '../errors.ts';
import { cueText, timestamp } from './cue.ts';
import { type DocumentInfo, foundEvents, type Results, resultsOf, type Timing } from './given.ts';
import { scopeLines, sensesText, withheldText } from './scope-text.ts';
import type { Mask, TaskResult } from './types.ts';

/** A mask without its pixels, which are in the file of that name. */
export type MaskEntry = Omit<Mask, 'data'> & {
  /** Its name, where pixels were written. */
  file: string;
};
type WithMaskFiles<R> = R extends { masks: Mask[] }
  ? Omit<R, 'masks' | 'explanation'> & { masks: MaskEntry[] }
  : Omit<R, 'explanation'>;
/** A result whose masks are told without their pixels, and without an explanation. */
export type DocumentResult = WithMaskFiles<TaskResult>;

/** The JSON document. `version` counts up when a field changes its meaning or goes; new fields may come without. */
export type ResultsDocument = {
  /** Tells the document from others. */
  format: 'mettle-edge/results';
  /** Of the schema. */
  version: 1;
  /** The clip. */
  source: {
    /** For people. */
    name: string;
    /** Seconds. */
    duration: number;
    /** The picture; null where there is none or it was not told. */
    video: VideoTrack | null;
    /** The sound; null where there is none or it was not told. */
    audio: AudioTrack | null;
  };
  /** True if any result comes from models that were never trained. */
  untrained: boolean;
  /** About the clip as a whole. */
  warnings: Warning[];
  /** In the order they were given. */
  results: DocumentResult[];
  /** What computed them; null where it was not told. */
  engine: Pick<EngineInfo, 'device' | 'runtime' | 'threads' | 'why' | 'backbone' | 'adapters'> | null;
  /** Null where it was not told. */
  timing: Timing | null;
};

const infoRules: Rules<DocumentInfo> = {
  source: required(text),
  duration: number(0, Infinity, 'a number of seconds'),
  video: either(null, record),
  audio: either(null, record),
  warnings: list,
  engine: either(null, record),
  timing: either(null, record),
};

/**
 * Results as a plain object for `JSON.stringify`. Numbers are rounded to six decimals; pixels of masks and explanations are left out. Throws `invalid-argument`.
 *
 * @example
 * const document = toJSON(await mettle.analyze(file), { source: file.name, engine: mettle.info() });
 */
export function toJSON(from: Results, info: DocumentInfo): ResultsDocument {
  const results = resultsOf(from);
  checkOptions(info, infoRules, 'info');
  const known = 'results' in from ? { ...from, ...info } : info;
  const { engine, timing } = known;
  return {
    format: 'mettle-edge/results',
    version: 1,
    source: {
      name: info.source,
      duration: round(known.duration ?? results[0]?.duration ?? 0),
      video: known.video ?? null,
      audio: known.audio ?? null,
    },
    untrained: results.some((result) => result.untrained),
    warnings: [...(known.warnings ?? [])],
    results: rounded(withMaskFiles(results)),
    engine: engine
      ? {
          device: engine.device,
          runtime: engine.runtime,
          threads: engine.threads,
          why: engine.why,
          backbone: engine.backbone,
          adapters: engine.adapters,
        }
      : null,
    timing: timing ? rounded({ ...timing }) : null,
  };
}

/**
 * Where the mask of second `index` lies beside the JSON document: `masks/000.png`, and `masks-2/000.png` for a second segmentation result.
 * `ordinal` counts segmentation results from 0.
 */
export function maskFile(ordinal: number, index: number): string {
  return `masks${ordinal === 0 ? '' : `-${ordinal + 1}`}/${String(index).padStart(3, '0')}.png`;
}

/**
 * Events of all results as WebVTT, one cue per event by start time, e.g. `[audio] Dog 87%`. An event of localization is `[audio-visual]`, or of the sense that alone
 * decides. Notes before them name each adapter, what it knows and how many seconds it kept silent about.
 * Segmentation has no events. Throws `invalid-argument`.
 */
export function toWebVTT(from: Results): string {
  const results = resultsOf(from);
  const cues = foundEvents(results).map((event, index) => {
    const start = Math.round(event.start * 1000);
    const end = Math.max(start + 1, Math.round(event.end * 1000));
    const text = `[${event.modality}] ${cueText(event.label)} ${Math.round(event.confidence * 100)}%`;
    return `${index + 1}\n${timestamp(start)} --> ${timestamp(end)}\n${text}\n`;
  });
  const note = results.some((result) => result.untrained)
    ? ['NOTE The models were never trained: these cues are noise and mean nothing.\n']
    : [];
  return `${['WEBVTT\n', ...note, ...results.map(scopeNote), ...cues].join('\n')}`;
}

/** A comment of WebVTT: who answered, what it knows, and how much it left out. It must hold no arrow. */
function scopeNote({ adapter, scope, withheld }: TaskResult): string {
  const lines = [
    `${adapter}, ${sensesText(scope)}.`,
    ...scopeLines(scope),
    ...(withheld > 0 ? [withheldText(withheld)] : []),
  ];
  return `NOTE\n${lines.map((line) => oneLine(line).replaceAll('-->', '->')).join('\n')}\n`;
}

function withMaskFiles(results: readonly TaskResult[]): DocumentResult[] {
  let ordinal = 0;
  return results.map(({ explanation: _, ...result }) => {
    if (result.task !== 'segment') return result;
    const here = ordinal++;
    const masks = result.masks.map(({ data: _, ...rest }, index) => ({ ...rest, file: maskFile(here, index) }));
    return { ...result, masks };
  });
}

const round = (value: number) => Math.round(value * 1e6) / 1e6;

function rounded<T>(value: T): T {
  if (typeof value === 'number') return round(value) as T;
  if (Array.isArray(value)) return value.map(rounded) as T;
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)])) as T;
  }
  return value;
}
