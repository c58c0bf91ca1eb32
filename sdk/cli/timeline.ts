/** Results as text: one line of blocks per class, one column of time for all. */
import type { Findings } from '../node/output/findings.ts';
import { audioText, durationText, percent, seconds, TASK_TITLES, videoText } from '../node/output/format.ts';
import { scopeLines, sensesText, withheldText } from '../tasks/scope-text.ts';
import { lanesOf, type Modality } from '../tasks/timeline.ts';
import type { Event, SegmentationResult, TaskResult } from '../tasks/types.ts';
import { oneLine, type Paint, shorten } from './terminal.ts';

const SENSES: Record<Modality, string> = { audio: 'heard', visual: 'seen', 'audio-visual': 'both' };
const LABEL_WIDTH = 20;
const SHADES = ' ▁▂▃▄▅▆▇█';

/** The timeline of one clip, several lines that end with a newline. `columns` is the width of the terminal. */
export function timelineText(findings: Findings, columns: number, paint: Paint): string {
  const all = [...findings.warnings, ...findings.results.flatMap((result) => result.warnings)];
  const untrained = findings.results.filter((result) => result.untrained).map((result) => result.adapter);
  const notice = untrained.length ? [`Never trained: ${untrained.join(', ')}. What they say below is noise.`] : [];
  const others = all.filter((warning) => warning.code !== 'untrained').map((warning) => warning.message);
  const warnings = [...new Set([...notice, ...others])].map(oneLine);
  const tracks = `picture ${videoText(findings.video)} · sound ${audioText(findings.audio)}`;
  const cells = cellCount(findings.segments, columns);
  return [
    `${paint.bold(oneLine(findings.name))}  ${paint.dim(oneLine(`${durationText(findings.duration)} · ${tracks}`))}`,
    ...warnings.map((warning) => paint.warn(`! ${warning}`)),
    ...findings.results.flatMap((result) => taskLines(result, findings.segments, cells, paint)),
    '',
  ].join('\n');
}

/** A whole number of cells per second while they shorten, else one cell for several seconds. */
function cellCount(segments: number, columns: number): number {
  const room = Math.min(60, Math.max(10, columns - LABEL_WIDTH - 28));
  return segments > room ? room : segments * Math.max(1, Math.floor(room / segments));
}

function taskLines(result: TaskResult, segments: number, cells: number, paint: Paint): string[] {
  const head = `\n${paint.bold(TASK_TITLES[result.task])}  ${paint.dim(oneLine(`${result.adapter}, ${sensesText(result.scope)}${timesText(result)}`))}`;
  const title = [head, ...scopeLines(result.scope).map((text) => paint.dim(`  ${oneLine(text)}`))];
  const silence = result.withheld > 0 ? [paint.dim(`  ${withheldText(result.withheld)}`)] : [];
  if (result.task === 'segment') return [...title, areaLine(result, segments, cells, paint), ...silence];
  const lines = lanesOf(result).flatMap((lane) => {
    return [...groupByClass(lane.events)].map(([classIndex, events]) => {
      const bar = Array.from({ length: cells }, (_, cell) => (isCovered(events, cell, segments / cells) ? '█' : '·'));
      return line(SENSES[lane.modality], events[0]!.label, colored(bar, classIndex, paint), eventList(events), paint);
    });
  });
  return [...title, ...(lines.length ? lines : [paint.dim('  no events')]), ...silence];
}

/** How finely the events of a result are told, where there are any. */
function timesText(result: TaskResult): string {
  if (result.task === 'segment' || result.events.length === 0) return '';
  const finest = Math.min(...result.events.map(({ resolution }) => resolution));
  return finest < 1 ? `, times to ${finest.toFixed(2)} s` : ', times in whole seconds';
}

function line(sense: string, label: string, bar: string, note: string, paint: Paint): string {
  return `  ${paint.dim(sense.padEnd(5))}  ${shorten(oneLine(label), LABEL_WIDTH).padEnd(LABEL_WIDTH)}  ${bar}  ${note}`;
}

function groupByClass(events: readonly Event[]): Map<number, Event[]> {
  const groups = new Map<number, Event[]>();
  for (const event of events) groups.set(event.classIndex, [...(groups.get(event.classIndex) ?? []), event]);
  return groups;
}

/** True if events fill at least half of the cell. */
function isCovered(events: readonly Event[], cell: number, width: number): boolean {
  const covered = events.reduce(
    (sum, event) => sum + Math.max(0, Math.min(event.end, (cell + 1) * width) - Math.max(event.start, cell * width)),
    0,
  );
  return covered >= width / 2;
}

function colored(bar: readonly string[], classIndex: number, paint: Paint): string {
  return bar.join('').replace(/█+|·+/g, (run) => (run.startsWith('█') ? paint.class(classIndex, run) : paint.dim(run)));
}

/** `0-2 s 75%, 4-9.4 s 80%`, the first three. */
function eventList(events: readonly Event[]): string {
  const shown = events
    .slice(0, 3)
    .map((event) => `${seconds(event.start)}-${seconds(event.end)} s ${percent(event.confidence)}`);
  return shown.join(', ') + (events.length > 3 ? `, and ${events.length - 3} more` : '');
}

function areaLine(result: SegmentationResult, segments: number, cells: number, paint: Paint): string {
  const areas = result.masks.map((mask) => mask.area);
  const largest = areas.reduce((top, area) => Math.max(top, area), 0);
  const bar = Array.from({ length: cells }, (_, cell) => {
    const time = ((cell + 0.5) / cells) * segments;
    const area = time < result.duration ? (areas[Math.floor(time)] ?? 0) : 0;
    return SHADES[largest > 0 ? Math.ceil((area / largest) * (SHADES.length - 1)) : 0];
  }).join('');
  const note = largest > 0 ? `up to ${percent(largest)} of the picture` : 'no mask';
  return line('area', 'sounding', bar, note, paint);
}
