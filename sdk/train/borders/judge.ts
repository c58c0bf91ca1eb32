/** Heard events as an adapter tells them, in whole seconds and with its border head, and as they are. */
import type { AdapterManifest } from '../../contract/manifest.ts';
import type { AdapterOutputs } from '../../contract/model.ts';
import type { Task } from '../../contract/task.ts';
import { toAnswer } from '../../tasks/answer.ts';
import { contextOf } from '../../tasks/context.ts';
import type { TaskResult } from '../../tasks/types.ts';
import type { ExactEvent } from '../data/types.ts';
import type { BorderedEvent } from '../metrics/borders.ts';

/** `outputs` of the whole clip, `heard` [steps, classes] of each of its seconds. Nothing is withheld. */
export function answeredBorders(
  manifest: AdapterManifest,
  outputs: AdapterOutputs,
  heard: readonly (Float32Array | null)[],
): { coarse: BorderedEvent[]; finer: BorderedEvent[] } {
  const told = { ...manifest, familiarity: null };
  const context = { ...contextOf(told, [], heard), duration: heard.length, segments: heard.length };
  const senses = { hasAudio: true, hasPicture: true };
  const finer = toAnswer(told, outputs, [], { ...context, ...senses });
  const coarse = toAnswer(told, outputs, [], { ...context, ...senses, borders: null });
  return { coarse: heardIn(coarse), finer: heardIn(finer) };
}

function heardIn(result: TaskResult): BorderedEvent[] {
  if (result.task === 'segment') return [];
  return result.task === 'localize' ? result.events : result.events.filter(({ modality }) => modality === 'audio');
}

/** Of parsing what is heard, of localization what is both; times that touch or overlap are one event. */
export function truthOf(task: Task, events: readonly ExactEvent[]): BorderedEvent[] {
  const wanted = events.filter(
    ({ modality }) => modality === 'audio-visual' || (task === 'parse' && modality === 'audio'),
  );
  const merged: BorderedEvent[] = [];
  for (const { classIndex, onset, offset } of [...wanted].sort((a, b) => a.onset - b.onset)) {
    const open = merged.find((event) => event.classIndex === classIndex && event.end >= onset - 1e-6);
    if (open) open.end = Math.max(open.end, offset);
    else merged.push({ classIndex, start: onset, end: offset });
  }
  return merged;
}
