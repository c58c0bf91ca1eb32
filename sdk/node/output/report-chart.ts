/** The chart of the report: thumbnails, events, probabilities and areas, all above one time axis. */
import { classColor, type Rgb } from '../../tasks/color.ts';
import { sensesText, withheldText } from '../../tasks/scope-text.ts';
import { type Lane, lanesOf } from '../../tasks/timeline.ts';
import type { Event, SegmentationResult, TaskResult } from '../../tasks/types.ts';
import type { Findings } from './findings.ts';
import { percent, seconds, TASK_TITLES } from './format.ts';
import { type Html, html } from './html.ts';
import { overlay, pngUrl, withinBudget } from './pictures.ts';

/** Gives each label one colour in the whole report, in order of first use. */
export type Colors = (label: string) => string;

export function colorBook(): Colors {
  const book = new Map<string, string>();
  return (label) => {
    if (!book.has(label)) book.set(label, classColor(book.size));
    return book.get(label)!;
  };
}

/** All rows above one axis. `segments` columns; an event may end inside the last one. */
export function chart(findings: Findings, colors: Colors): Html {
  const { segments } = findings;
  const cell = segments <= 15 ? 56 : segments <= 120 ? 48 : 30;
  return html`<div class="scroll" role="region" aria-label="Timeline of the clip" tabindex="0">
<div class="chart" style="--n:${segments};--cell:${cell}px">
${row('', ruler(segments), 'ruler')}
${strip(findings)}
${findings.results.map((result) => group(result, findings, colors))}
<div class="cursor" aria-hidden="true"><i></i></div>
</div>
</div>`;
}

/** Overlay colours, one per segmentation result. */
const MASK_COLORS: Rgb[] = [
  [255, 61, 127],
  [0, 214, 255],
  [255, 200, 0],
];
const maskColor = (ordinal: number) => MASK_COLORS[ordinal % MASK_COLORS.length]!;

function row(label: Html | string, track: Html, kind: string): Html {
  return html`<div class="row ${kind}"><div class="label">${label}</div><div class="track">${track}</div></div>\n`;
}

function ruler(segments: number): Html {
  const every = segments <= 30 ? 1 : segments <= 120 ? 5 : 10;
  return html`${Array.from({ length: segments }, (_, second) =>
    second % every === 0 ? html`<span style="--at:${second}">${clock(second)}</span>` : null,
  )}`;
}

const clock = (second: number) =>
  second < 60 ? `${second}` : `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`;

function strip(findings: Findings): Html | null {
  const segmentations = findings.results.filter((result) => result.task === 'segment');
  const images = withinBudget(findings.thumbnails);
  if (images.every((image) => !image)) return null;
  const cells = images.map((image, second) => {
    if (!image) return html`<div class="thumb" style="--at:${second}"></div>`;
    const masks = segmentations.map((result, ordinal) => {
      const mask = result.masks[second];
      if (!mask || mask.area === 0) return null;
      return html`<img class="mask" alt="" src="${pngUrl(overlay(mask, image.width, image.height, maskColor(ordinal)))}">`;
    });
    const ratio = `${image.width}/${image.height}`;
    return html`<div class="thumb" style="--at:${second};--ratio:${ratio}"><img alt="Frame of second ${second}" src="${pngUrl(image)}">${masks}</div>`;
  });
  return row('Picture', html`${cells}`, 'strip');
}

function group(result: TaskResult, findings: Findings, colors: Colors): Html {
  const ordinal = findings.results.filter((other) => other.task === 'segment').indexOf(result as SegmentationResult);
  return html`<div class="row group"><h3 class="label">${TASK_TITLES[result.task]}</h3><div class="track">${result.adapter}, ${sensesText(result.scope)}${result.withheld > 0 ? ` · ${withheldText(result.withheld)}` : ''}</div></div>
${result.task === 'segment' ? areaRow(result, ordinal) : [lanesOf(result).map((lane) => laneRow(lane, colors)), probabilityRows(result, colors)]}`;
}

function laneRow(lane: Lane, colors: Colors): Html {
  const bars = lane.rows.flatMap((events, index) => events.map((event) => bar(event, index, lane.title, colors)));
  const nothing = lane.events.length === 0 ? html`<span class="nothing">nothing found</span>` : null;
  const kind = `lane ${lane.modality}`;
  return html`<div class="row ${kind}"><div class="label">${lane.title}</div><div class="track" style="--rows:${lane.rows.length}">${bars}${nothing}</div></div>\n`;
}

function bar(event: Event, index: number, title: string, colors: Colors): Html {
  const tip = `${event.label} · ${title.toLowerCase()} · ${seconds(event.start)} to ${seconds(event.end)} s · ${percent(event.confidence)}`;
  const place = `--from:${event.start};--to:${event.end};--row:${index};--color:${colors(event.label)}`;
  return html`<button type="button" class="bar" style="${place}" data-second="${Math.floor(event.start)}" data-tip="${tip}" aria-label="${tip}"><span>${event.label}</span></button>`;
}

function areaRow(result: SegmentationResult, ordinal: number): Html {
  const largest = result.masks.reduce((top, mask) => Math.max(top, mask.area), 0);
  const cells = result.masks.map((mask, second) =>
    cell(
      second,
      mask.end - second,
      mask.area / (largest || 1),
      `Sounding area, second ${second}: ${percent(mask.area)} of the picture`,
    ),
  );
  const color = `rgb(${maskColor(ordinal).join(' ')})`;
  return html`<div class="row small tall"><div class="label"><span>Sounding area</span><small>up to ${percent(largest)}</small></div><div class="track" style="--color:${color}">${cells}</div></div>\n`;
}

/** One small row of bars for each of the classes that are most probable anywhere in the clip. */
function probabilityRows(result: Exclude<TaskResult, SegmentationResult>, colors: Colors): Html | null {
  const sets =
    result.task === 'localize'
      ? [{ title: '', rows: result.seconds.map((second) => second.probabilities) }]
      : [
          { title: 'heard', rows: result.seconds.map((second) => second.audio) },
          { title: 'seen', rows: result.seconds.map((second) => second.visual) },
        ];
  const rows = sets.flatMap(({ title, rows }) =>
    topClasses(result.classes, rows, 4).map((classIndex) => {
      const label = result.classes[classIndex]!;
      const cells = rows.map((row, second) => {
        const width = result.seconds[second]!.end - second;
        const tip = `${label}${title && `, ${title}`}, second ${second}: ${percent(row[classIndex]!)}`;
        return cell(second, width, row[classIndex]!, tip);
      });
      return html`<div class="row small"><div class="label"><span>${label}</span>${title && html`<small>${title}</small>`}</div><div class="track" style="--color:${colors(label)}">${cells}</div></div>\n`;
    }),
  );
  if (rows.length === 0) return null;
  return html`<details class="probabilities" open><summary><span class="label">Probabilities</span></summary>${rows}</details>`;
}

function cell(second: number, width: number, height: number, tip: string): Html {
  const place = `--at:${second};--w:${width.toFixed(3)};--h:${height.toFixed(3)}`;
  return html`<i class="cell" style="${place}" data-second="${second}" data-tip="${tip}"></i>`;
}

/** Indices of the `count` classes with the highest peak, highest first; none that would show as 0%. */
export function topClasses(classes: readonly string[], rows: readonly (readonly number[])[], count: number): number[] {
  const peak = (classIndex: number) => rows.reduce((top, row) => Math.max(top, row[classIndex]!), 0);
  return classes
    .map((_, classIndex) => ({ classIndex, peak: peak(classIndex) }))
    .filter((entry) => entry.peak >= 0.005)
    .sort((a, b) => b.peak - a.peak)
    .slice(0, count)
    .map((entry) => entry.classIndex);
}
