/** The report: one HTML file that needs nothing else, neither network nor script to be read. It forbids itself both by its content policy. */
import { createHash } from 'node:crypto';
import type { Warning } from '../../errors.ts';
import { scopeLines, sensesText, withheldText } from '../../tasks/scope-text.ts';
import { type Lane, lanesOf, MODALITY_TITLES, modalityOf } from '../../tasks/timeline.ts';
import type { Event, TaskResult } from '../../tasks/types.ts';
import type { Findings } from './findings.ts';
import { audioText, durationText, millisecondsText, percent, seconds, TASK_TITLES, videoText } from './format.ts';
import { Html, html, scriptJson } from './html.ts';
import { type Colors, chart, colorBook, topClasses } from './report-chart.ts';
import { SCRIPT } from './report-script.ts';
import { STYLE } from './report-style.ts';

/** The whole report as the text of an HTML file. Names and labels are escaped, whatever they hold. */
export function reportHtml(findings: Findings): string {
  const colors = colorBook();
  const digest = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>${findings.name} · Mettle Edge</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
${header(findings)}
<main>
${notice(findings)}
${findings.results.length ? overview(findings, colors) : html`<p>No task was run.</p>`}
${scopes(findings)}
${eventTable(findings, colors)}
<div class="columns">
${warnings(findings)}
${run(findings)}
</div>
</main>
<footer>Made on this device by Mettle Edge. Nothing was sent anywhere.</footer>
<div id="tip" role="status" hidden></div>
<script type="application/json" id="data">${scriptJson(secondData(findings, colors))}</script>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

function header(findings: Findings): Html {
  const { engine } = findings;
  const facts: [string, string][] = [
    ['Duration', durationText(findings.duration)],
    ['Picture', videoText(findings.video)],
    ['Sound', audioText(findings.audio)],
  ];
  if (engine) {
    facts.push(
      ['Device', `${engine.device}, ${engine.runtime}`],
      ['Backbone', `${engine.backbone.id} ${engine.backbone.version}`],
      ['Adapters', engine.adapters.map((adapter) => `${adapter.id} ${adapter.version}`).join(', ')],
    );
  }
  return html`<header>
<p class="brand"><svg viewBox="0 0 20 20" aria-hidden="true"><path d="M2 12v3M6 8v7M10 3v12M14 8v7M18 12v3"/></svg>Mettle Edge report</p>
<h1 dir="auto">${findings.name}</h1>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</header>`;
}

function notice(findings: Findings): Html | null {
  const untrained = findings.results.filter((result) => result.untrained).map((result) => result.adapter);
  if (untrained.length === 0) return null;
  return html`<aside class="notice"><strong>These models were never trained:</strong> ${untrained.join(', ')}. Their weights are seeded noise, there to show that everything runs. Their labels, times and masks mean nothing.</aside>`;
}

/** Whom to believe, and how far. */
function scopes({ results }: Findings): Html | null {
  if (results.length === 0) return null;
  const entry = ({ adapter, task, scope, withheld }: TaskResult): Html => html`<dt>${adapter}</dt>
<dd>${TASK_TITLES[task]}, ${sensesText(scope)}. ${scopeLines(scope).join(' ')}${withheld > 0 ? html` <strong>${withheldText(withheld)}</strong>` : null}</dd>`;
  return html`<section aria-labelledby="scope"><h2 id="scope">Who answers, and for what</h2><dl class="scopes">${results.map(entry)}</dl></section>`;
}

function overview(findings: Findings, colors: Colors): Html {
  const hasMasks = findings.results.some((result) => result.task === 'segment');
  const hasPictures = findings.thumbnails.some((thumbnail) => thumbnail !== null);
  const controls = html`<div class="controls">
<label><input type="checkbox" id="masks" checked> Masks</label>
<label>Opacity <input type="range" id="opacity" min="10" max="100" value="85"></label>
</div>`;
  return html`<section aria-labelledby="moment">
<div class="title"><h2 id="moment">Moment</h2>${hasMasks && hasPictures ? controls : null}</div>
<div class="stage${hasPictures ? '' : ' blind'}">
<div class="frame"></div>
<div class="readout" aria-live="polite"></div>
<div class="seek"><output for="second" id="when"></output><input type="range" id="second" min="0" max="${findings.segments - 1}" value="0" aria-label="Second"></div>
</div>
</section>
<section aria-labelledby="timeline">
<div class="title"><h2 id="timeline">Timeline</h2>${legend(findings, colors)}</div>
${chart(findings, colors)}
</section>`;
}

function legend(findings: Findings, colors: Colors): Html {
  const labels = new Set(findings.results.flatMap((result) => eventsIn(result).map(({ event }) => event.label)));
  return html`<ul class="legend">${[...labels].map((label) => html`<li><i style="--color:${colors(label)}"></i>${label}</li>`)}</ul>`;
}

function eventsIn(result: TaskResult): { event: Event; lane: Lane }[] {
  if (result.task === 'segment') return [];
  return lanesOf(result).flatMap((lane) => lane.events.map((event) => ({ event, lane })));
}

function eventTable(findings: Findings, colors: Colors): Html {
  const rows = findings.results
    .flatMap((result) => eventsIn(result).map((entry) => ({ ...entry, result })))
    .sort((a, b) => a.event.start - b.event.start || a.event.end - b.event.end);
  if (rows.length === 0) return html`<section><h2>Events</h2><p class="nothing">No events were found.</p></section>`;
  return html`<section aria-labelledby="events">
<h2 id="events">Events <small>${rows.length}</small></h2>
<div class="wide"><table>
<thead><tr><th scope="col">Event</th><th scope="col">Sense</th><th scope="col">Task</th><th scope="col" class="number">Start</th><th scope="col" class="number">End</th><th scope="col" class="number">Confidence</th></tr></thead>
<tbody>${rows.map(
    ({ event, lane, result }) => html`
<tr><th scope="row"><i style="--color:${colors(event.label)}"></i>${event.label}</th><td>${lane.title}</td><td>${TASK_TITLES[result.task]}</td><td class="number">${event.start.toFixed(1)} s</td><td class="number">${event.end.toFixed(1)} s</td><td class="number"><span class="meter" style="--p:${event.confidence.toFixed(3)}"></span>${percent(event.confidence)}</td></tr>`,
  )}
</tbody>
</table></div>
</section>`;
}

function warnings(findings: Findings): Html {
  const all: Warning[] = [...findings.warnings, ...findings.results.flatMap((result) => result.warnings)];
  // Untrained models have a notice of their own above.
  const others = all.filter((warning) => warning.code !== 'untrained');
  const distinct = new Map(others.map((warning) => [warning.message, warning]));
  return html`<section><h2>Warnings</h2>${
    distinct.size
      ? html`<ul class="warnings">${[...distinct.values()].map((warning) => html`<li><code>${warning.code}</code> ${warning.message}</li>`)}</ul>`
      : html`<p class="nothing">None.</p>`
  }</section>`;
}

function run(findings: Findings): Html {
  const { timing, engine, duration } = findings;
  const rows: [string, string][] = [
    ['Decoding', millisecondsText(timing.decodeMs)],
    ['Models', millisecondsText(timing.modelMs)],
    ['In all', `${millisecondsText(timing.totalMs)} for ${durationText(duration)} of video`],
  ];
  if (engine) {
    rows.push(
      ['Loading', `${millisecondsText(engine.loadMs)}, warm-up ${millisecondsText(engine.warmupMs)}`],
      ['Threads', String(engine.threads)],
    );
    if (engine.gpu) rows.push(['GPU', engine.gpu.description || `${engine.gpu.vendor} ${engine.gpu.architecture}`]);
  }
  const why = engine?.why.length
    ? html`<h3>Why this device</h3><ol class="why">${engine.why.map((reason) => html`<li>${reason}</li>`)}</ol>`
    : null;
  return html`<section><h2>Run</h2><dl class="run">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${why}</section>`;
}

type SecondData = {
  when: string;
  groups: { title: string; rows: [label: string, color: string, probability: number][] }[];
};

/** What the readout shows for each second: the most probable classes of each result and sense. */
function secondData(findings: Findings, colors: Colors): SecondData[] {
  const best = (classes: readonly string[], row: readonly number[]): SecondData['groups'][number]['rows'] =>
    topClasses(classes, [row], 4).map((c) => [classes[c]!, colors(classes[c]!), Math.round(row[c]! * 1e3) / 1e3]);
  return Array.from({ length: findings.segments }, (_, index) => ({
    when: `${index} to ${seconds(Math.min(index + 1, findings.duration))} s`,
    groups: findings.results.flatMap((result) => {
      if (result.task === 'segment') {
        const area = result.masks[index]?.area ?? 0;
        const name = result.masks[index]?.withheld ? 'Unfamiliar: no answer' : 'Share of the picture';
        return [{ title: 'Sounding area', rows: [[name, '', Math.round(area * 1e3) / 1e3]] }];
      }
      if (result.task === 'localize') {
        const { probabilities } = result.seconds[index]!;
        const { withheld } = result.seconds[index]!;
        const rows = best(result.classes, probabilities);
        rows.push([
          withheld ? '(unfamiliar: no answer)' : '(background)',
          '',
          Math.round(probabilities.at(-1)! * 1e3) / 1e3,
        ]);
        return [{ title: MODALITY_TITLES[modalityOf(result)], rows }];
      }
      const { audio, visual, withheld } = result.seconds[index]!;
      const titleOf = (sense: 'audio' | 'visual'): string =>
        `${MODALITY_TITLES[sense]}${withheld[sense] ? ' (unfamiliar: no answer)' : ''}`;
      return [
        { title: titleOf('audio'), rows: best(result.classes, audio) },
        { title: titleOf('visual'), rows: best(result.classes, visual) },
      ].filter((group) => group.rows.length > 0 || group.title.endsWith(')'));
    }),
  }));
}
