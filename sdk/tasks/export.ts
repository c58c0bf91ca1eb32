/** Results in formats that other programs read: a JSON document of a stable schema, and WebVTT. No files are written here. */

import { oneLine } from '../contract/plain-text.ts';
import type { EngineInfo } from '../engine/types.ts';
import type { Warning } from '../errors.ts';
import type { AudioTrack, VideoTrack } from '../media/types.ts';
import type { Mask, TaskResult } from './types.ts';

/** What is known about the clip besides its results. Only `source` must be given. */
export type DocumentInfo = {
  /** Name of the clip, for people. */
  source: string;
  /** Seconds; default: that of the first result. */
  duration?: number;
  video?: VideoTrack | null;
  audio?: AudioTrack | null;
  /** Warnings about the clip as a whole. */
  warnings?: readonly Warning[];
  engine?: EngineInfo | null;
  /** Milliseconds. */
  timing?: { decodeMs: number; modelMs: number; totalMs: number } | null;
};

/** A mask without its pixels, which are in the file of that name. */
export type MaskEntry = Omit<Mask, 'data'> & { file: string };
type WithMaskFiles<R> = R extends { masks: Mask[] } ? Omit<R, 'masks'> & { masks: MaskEntry[] } : R;
export type DocumentResult = WithMaskFiles<TaskResult>;

/** The JSON document. `version` counts up when a field changes its meaning or goes; new fields may come without. */
export type ResultsDocument = {
  format: 'mettle-edge/results';
  version: 1;
  source: { name: string; duration: number; video: VideoTrack | null; audio: AudioTrack | null };
  /** True if any result comes from models that were never trained. */
  untrained: boolean;
  warnings: Warning[];
  results: DocumentResult[];
  engine: Pick<EngineInfo, 'device' | 'runtime' | 'threads' | 'why' | 'backbone' | 'adapters'> | null;
  timing: { decodeMs: number; modelMs: number; totalMs: number } | null;
};

/** Results as a plain object for `JSON.stringify`. Numbers are rounded to six decimals; pixels of masks are left out. */
export function toJSON(results: readonly TaskResult[], info: DocumentInfo): ResultsDocument {
  const { engine, timing } = info;
  return {
    format: 'mettle-edge/results',
    version: 1,
    source: {
      name: info.source,
      duration: round(info.duration ?? results[0]?.duration ?? 0),
      video: info.video ?? null,
      audio: info.audio ?? null,
    },
    untrained: results.some((result) => result.untrained),
    warnings: [...(info.warnings ?? [])],
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
 * Events of all results as WebVTT, one cue per event by start time, e.g. `[audio] Dog 87%`. An event of localization is `[audio-visual]`.
 * Segmentation has no events.
 */
export function toWebVTT(results: readonly TaskResult[]): string {
  const cues = results
    .flatMap((result) => {
      if (result.task === 'segment') return [];
      if (result.task === 'parse') return result.events;
      return result.events.map((event) => ({ ...event, modality: 'audio-visual' as const }));
    })
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .map((event, index) => {
      const start = Math.round(event.start * 1000);
      const end = Math.max(start + 1, Math.round(event.end * 1000));
      const text = `[${event.modality}] ${cueText(event.label)} ${Math.round(event.confidence * 100)}%`;
      return `${index + 1}\n${timestamp(start)} --> ${timestamp(end)}\n${text}\n`;
    });
  const note = results.some((result) => result.untrained)
    ? ['NOTE The models were never trained: these cues are noise and mean nothing.\n']
    : [];
  return `${['WEBVTT\n', ...note, ...cues].join('\n')}`;
}

function withMaskFiles(results: readonly TaskResult[]): DocumentResult[] {
  let ordinal = 0;
  return results.map((result) => {
    if (result.task !== 'segment') return result;
    const here = ordinal++;
    const masks = result.masks.map(({ data: _, ...rest }, index) => ({ ...rest, file: maskFile(here, index) }));
    return { ...result, masks };
  });
}

/** `HH:MM:SS.mmm` */
function timestamp(milliseconds: number): string {
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const seconds = Math.floor(milliseconds / 1000);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}.${pad(milliseconds % 1000, 3)}`;
}

/** Cue text must not hold markup, an arrow, a line break or a control character. */
function cueText(text: string): string {
  return oneLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
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
