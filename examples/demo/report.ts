/** The demo's report as one HTML file that needs nothing else and runs no script: every clip with what was found, and what is true beneath it. */
import { classColor, type EngineInfo } from '../../sdk/index.ts';
import { percent, seconds } from '../../sdk/node/output/format.ts';
import { Html, html } from '../../sdk/node/output/html.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { toyboxClasses } from '../../sdk/toybox/index.ts';
import type { ComparedLane } from '../truth.js';
import { style } from './report-style.ts';
import { type Answer, byAdapter, rules, shareText, totalOf } from './types.ts';

export function reportOf(answers: readonly Answer[], engine: EngineInfo): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>Clips that no model saw · Mettle Edge</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<p class="brand"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 14v-4M8 18V6M13 15V9M18 20V4"/></svg>Mettle Edge demo</p>
<h1>Clips that no model saw</h1>
<p class="lede">Generated clips from backgrounds, pitches, rooms and a seed that training never used; the first ones of their kind, not the best. What the models found stands above, what is true beneath it.</p>
</header>
<main>
${notice(answers)}
<ul class="scores">${byAdapter(answers).map(score)}</ul>
${byAdapter(answers).map(group)}
</main>
<footer>${engine.runtime} on ${engine.device}, ${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}; backbone ${engine.backbone.id} ${engine.backbone.version}. Made on this device; nothing was sent anywhere.</footer>
</body>
</html>
`.text;
}

function notice(answers: readonly Answer[]): Html | null {
  if (!answers.some(({ result }) => result.untrained)) return null;
  return html`<aside class="notice"><strong>These models were never trained.</strong> Their weights are seeded noise, there to show that everything runs. What they found means nothing.</aside>`;
}

function score(group: Answer[]): Html {
  const { task, adapter } = group[0]!.result;
  return html`<li><strong>${shareText(totalOf(group))}</strong><span>${rules[task]}</span><small>${adapter}</small></li>`;
}

function group(group: Answer[]): Html {
  const { title, question } = group[0]!.clip.kind;
  return html`<section><h2>${title} <small>${question}</small></h2>${group.map(card)}</section>`;
}

function card({ clip, result, comparison, frames, segmentMs }: Answer): Html {
  const count = clip.truth.seconds;
  const pictures = frames.map((frame) => html`<img alt="" src="${pngUrl(frame)}">`);
  return html`<article style="--n:${count}">
<div class="title"><h3>${clip.id}</h3><p>${shareText(comparison)} right · ${segmentMs.toFixed(0)} ms per second</p></div>
<div class="row"><div class="head">${result.task === 'segment' ? html`Frames<small>mask found, line true</small>` : 'Frames'}</div><div class="frames">${pictures}</div></div>
${comparison.lanes.map((lane) => laneRows(lane, count))}
${comparison.overlaps && overlapRow(comparison.overlaps)}
<div class="row"><div></div><div class="axis">${Array.from({ length: count }, (_, second) => html`<span>${second}</span>`)}</div></div>
</article>`;
}

function laneRows({ title, found, truth, right }: ComparedLane, count: number): Html {
  const verdict = `${right.filter(Boolean).length} of ${count} right`;
  return html`<div class="row lane"><div class="head">${title}<small>${verdict}</small></div><div>
${track(found, 'found', (event) => `${spanText(event)}, ${percent(event.confidence)}`)}
<div class="verdicts" aria-hidden="true">${right.map((ok) => html`<i class="${ok ? '' : 'wrong'}"></i>`)}</div>
${track(truth, 'true', spanText)}
</div></div>`;
}

const spanText = ({ start, end }: { start: number; end: number }): string => `${seconds(start)} to ${seconds(end)} s`;

function track<E extends { label: string; start: number; end: number }>(
  events: readonly E[],
  kind: 'found' | 'true',
  noteOf: (event: E) => string,
): Html {
  const ends: number[] = [];
  const bars = events.map((event) => {
    const free = ends.findIndex((end) => end <= event.start);
    const row = free < 0 ? ends.length : free;
    ends[row] = event.end;
    const place = `--from:${event.start};--to:${event.end};--row:${row};--color:${classColor(toyboxClasses.indexOf(event.label))}`;
    return html`<span class="bar" style="${place}" title="${event.label}, ${kind}, ${noteOf(event)}">${event.label}</span>`;
  });
  const nothing =
    events.length === 0 ? html`<span class="nothing">nothing ${kind === 'found' ? 'found' : 'true'}</span>` : null;
  return html`<div class="track ${kind}" style="--rows:${Math.max(1, ends.length)}">${bars}${nothing}</div>`;
}

function overlapRow(overlaps: readonly number[]): Html {
  const cells = overlaps.map((share) => html`<span class="${share >= 0.5 ? 'ok' : 'bad'}">${percent(share)}</span>`);
  return html`<div class="row lane"><div class="head">Overlap<small>mask and truth</small></div><div class="overlaps">${cells}</div></div>`;
}

const pngUrl = (image: Answer['frames'][number]): string =>
  `data:image/png;base64,${Buffer.from(encodePng(image)).toString('base64')}`;
