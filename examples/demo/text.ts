/** Answers as text for a terminal: a line for what was found, and beneath it one for what is true. */
import { type Paint, shorten } from '../../sdk/cli/terminal.ts';
import { percent, seconds } from '../../sdk/node/output/format.ts';
import { toyboxClasses } from '../../sdk/toybox/index.ts';
import { type ComparedLane, maskAt } from '../truth.js';
import { type Answer, byAdapter, rules, shareText, totalOf } from './types.ts';

const cellsPerSecond = 3;
const shades = ' ▁▂▃▄▅▆▇█';

/** A warning where nothing that follows means anything; else what the clips are. */
export function untrainedText(untrained: boolean, paint: Paint): string {
  const clips = 'Clips that no model saw in training: other backgrounds, pitches and rooms, another seed.';
  return untrained
    ? `${clips}\n${paint.warn('! The models were never trained: their weights are noise.')}\n`
    : `${clips}\n`;
}

export function clipText({ clip, result, comparison, segmentMs }: Answer, paint: Paint): string {
  const { kind, id } = clip;
  const facts = `${result.adapter} · ${id}.webm · ${segmentMs.toFixed(0)} ms per second`;
  const lines = comparison.lanes.length
    ? comparison.lanes.flatMap((lane) => laneLines(lane, clip.truth.seconds, paint))
    : areaLines({ clip, result, comparison }, paint);
  return [`${paint.bold(kind.title)}  ${paint.dim(facts)}`, ...lines, ''].join('\n');
}

export function summaryText(answers: readonly Answer[], paint: Paint): string {
  const rows = byAdapter(answers).map((group) => {
    const { adapter, task } = group[0]!.result;
    return `  ${adapter.padEnd(12)} ${shareText(totalOf(group)).padStart(9)}  ${paint.dim(rules[task])}`;
  });
  return [paint.bold('Right'), ...rows, ''].join('\n');
}

/** Two lines per label that is found or true; one where there is none. */
function laneLines({ title, found, truth, right }: ComparedLane, length: number, paint: Paint): string[] {
  const verdict = `${shareText({ right: right.filter(Boolean).length, total: length })} s right`;
  const labels = [...new Set([...found, ...truth].map(({ label }) => label))];
  const head = `  ${title}  ${paint.dim(verdict)}`;
  if (labels.length === 0) return [head, `    ${paint.dim('nothing, and nothing was found')}`];
  const lines = labels.flatMap((label) => {
    const color = toyboxClasses.indexOf(label);
    const ours = found.filter((event) => event.label === label);
    const real = truth.filter((event) => event.label === label);
    const note = ours.map(({ start, end, confidence }) => `${spanText(start, end)} ${percent(confidence)}`).join(', ');
    return [
      row(label, 'found', paint.class(color, bar(ours, length, '█')), note),
      row(
        '',
        'truth',
        paint.class(color, bar(real, length, '━')),
        real.map((e) => spanText(e.start, e.end)).join(', '),
      ),
    ];
  });
  return [head, ...lines];
}

const spanText = (start: number, end: number): string => `${seconds(start)}-${seconds(end)} s`;

function areaLines(
  { clip, result, comparison }: Pick<Answer, 'clip' | 'result' | 'comparison'>,
  paint: Paint,
): string[] {
  if (result.task !== 'segment') return [];
  const truth = clip.truth.events.filter(({ modality }) => modality === 'both');
  const names = [...new Set(truth.map(({ label }) => label))].join(', ');
  const areas = Array.from({ length: clip.truth.seconds }, (_, second) => {
    const mask = maskAt(clip.truth, second);
    return mask.reduce((sum, on) => sum + on, 0) / mask.length;
  });
  const found = result.masks.map(({ area }) => area);
  const largest = Math.max(...areas, ...found, 0.01);
  const overlaps = comparison.overlaps!.map((share) => percent(share).padStart(4)).join(' ');
  return [
    `  Sounding area  ${paint.dim(`${shareText(comparison)} s right`)}`,
    row(names, 'found', profile(found, largest), `overlap by second ${overlaps}`),
    row('', 'truth', profile(areas, largest), `up to ${percent(largest)} of the picture`),
  ];
}

function row(label: string, kind: string, bar: string, note: string): string {
  return `    ${shorten(label, 20).padEnd(20)} ${kind}  ${bar}  ${note}`.trimEnd();
}

function bar(events: readonly { start: number; end: number }[], length: number, mark: string): string {
  return Array.from({ length }, (_, second) => {
    const isOn = events.some(({ start, end }) => start < second + 0.5 && second + 0.5 < end);
    return (isOn ? mark : '·').repeat(cellsPerSecond);
  }).join('');
}

function profile(areas: readonly number[], largest: number): string {
  return areas.map((area) => shades[Math.ceil((area / largest) * 8)]!.repeat(cellsPerSecond)).join('');
}
