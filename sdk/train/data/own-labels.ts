/** From a user's events and masks to labels per second of one clip. A second has an event that covers at least half of it. */
import { segmentCount, segmentTimes } from '../../contract/segment-time.ts';
import { joinPath } from './clips.ts';
import type { FindingList } from './findings.ts';
import type { OwnEvent } from './own-tables.ts';
import type { DataFolder, DatasetItem, ExactEvent } from './types.ts';

export const ownMasks = 'masks';

/** `duration` in seconds, null if unknown: then the labels tell how long the clip is. */
export type OwnClip = { file: string; duration: number | null; rows: OwnEvent[] };

type Labelled = Pick<DatasetItem, 'seconds' | 'labels' | 'events'>;

export const stemOf = (file: string): string => file.replace(/\.[^./]+$/, '');

/** Labels from events. In localization a second's class is what is both heard and seen; of several the first class counts. */
export function eventLabels(
  task: 'localize' | 'parse',
  clip: OwnClip,
  classes: readonly string[],
  findings: FindingList,
): Labelled {
  const latest = Math.max(0, ...clip.rows.map(({ event }) => event?.offset ?? 0));
  const seconds = clip.duration === null ? Math.max(1, Math.ceil(latest)) : segmentCount(clip.duration);
  const painted = { audio: new Uint8Array(seconds * classes.length), visual: new Uint8Array(seconds * classes.length) };
  for (const row of clip.rows) {
    const c = row.event ? classes.indexOf(row.event.label) : -1;
    if (!row.event || c < 0) continue;
    const { modality } = row.event;
    for (const second of secondsOf(row, clip, seconds, findings)) {
      if (modality !== 'visual') painted.audio[second * classes.length + c] = 1;
      if (modality !== 'audio') painted.visual[second * classes.length + c] = 1;
    }
  }
  if (task === 'parse') {
    const union = new Uint8Array(classes.length);
    painted.audio.forEach((on, at) => {
      if (on || painted.visual[at]) union[at % classes.length] = 1;
    });
    return { seconds, labels: { task, clip: union, ...painted }, events: exactEvents(clip, classes) };
  }
  const labels = Int32Array.from({ length: seconds }, (_, second) => {
    const both = classes.flatMap((_name, c) => {
      const at = second * classes.length + c;
      return painted.audio[at] && painted.visual[at] ? [c] : [];
    });
    if (both.length > 1) {
      const message = 'Several classes in one second, of which localize knows one: the first class counts.';
      findings.add('warning', 'overlap', message, `${clip.file} at ${second} s`);
    }
    return both[0] ?? classes.length;
  });
  return { seconds, labels: { task, seconds: labels }, events: exactEvents(clip, classes) };
}

function exactEvents({ rows }: OwnClip, classes: readonly string[]): ExactEvent[] {
  return rows.flatMap(({ event }) => {
    const classIndex = event ? classes.indexOf(event.label) : -1;
    if (!event || classIndex < 0 || event.offset <= event.onset) return [];
    const { modality, onset, offset } = event;
    return [{ classIndex, modality, onset, offset }];
  });
}

/** Seconds that the event covers by half or more; of an event too short for that the one that it covers most. */
function secondsOf({ line, event }: OwnEvent, clip: OwnClip, seconds: number, findings: FindingList): number[] {
  const { onset, offset } = event!;
  const end = clip.duration ?? seconds;
  const place = `events.csv line ${line}: ${clip.file}`;
  if (offset <= onset) {
    findings.add('warning', 'empty-interval', 'The event ends when or before it begins and is left out.', place);
    return [];
  }
  if (offset > end + 0.5) {
    findings.add(
      'warning',
      'outside-clip',
      'The event reaches beyond the end of the clip; what is beyond is cut.',
      place,
    );
  }
  let best = { second: -1, covered: 0 };
  const covered: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const span = segmentTimes(second, end);
    const share = Math.min(offset, span.end) - Math.max(onset, span.start);
    if (share >= (span.end - span.start) / 2) covered.push(second);
    if (share > best.covered) best = { second, covered: share };
  }
  if (covered.length > 0) return covered;
  if (best.second < 0) return [];
  const message = 'The event covers half of no second; it counts for the one that it covers most.';
  findings.add('info', 'short-event', message, place);
  return [best.second];
}

/** Labels from the clip's masks; null, and noted, where it has none. */
export async function maskLabels(folder: DataFolder, clip: OwnClip, findings: FindingList): Promise<Labelled | null> {
  const path = joinPath(ownMasks, stemOf(clip.file.replace(/^(clips|videos)\//, '')));
  const found: string[] = [];
  for (const name of (await folder.list(path)).sort()) {
    const second = /^(\d{1,5})\.png$/i.exec(name)?.[1];
    if (second !== undefined) found[Number(second)] ??= joinPath(path, name);
    else
      findings.add(
        'warning',
        'odd-name',
        'The name is no number of a second with .png; it is not used.',
        joinPath(path, name),
      );
  }
  if (found.length === 0) {
    findings.add('error', 'missing-mask', 'The clip has no mask and is left out.', clip.file);
    return null;
  }
  const seconds = clip.duration === null ? found.length : segmentCount(clip.duration);
  if (found.length > seconds) {
    const message = 'There are masks after the end of the clip; they are not used.';
    findings.add('warning', 'outside-clip', message, `${path}, clip of ${seconds} s`);
  }
  const masks = Array.from({ length: seconds }, (_, second) => found[second] ?? null);
  const labels = new Set(clip.rows.flatMap(({ event }) => (event ? [event.label] : [])));
  const category = labels.size === 1 ? [...labels][0]! : null;
  return {
    seconds,
    labels: { task: 'segment', masks, supervised: masks.map((mask) => mask !== null), category },
  };
}
