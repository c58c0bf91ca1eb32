/** The chart under the video: a time axis, and a row per sense with the events that were found and, where it is known, the truth beneath them. */
import { classColor } from '../../dist/page/index.js';
import { maskAt } from '../truth.js';
import { clock, element, percent } from './elements.js';

export const TITLES = { localize: 'Seen and heard', parse: 'Video parsing', segment: 'Sounding area' };
/** Which sense tells the events of a result for localize: both, or the only one that decides. */
export const modalityOf = ({ scope }) => (scope?.senses.length === 1 ? scope.senses[0] : 'audio-visual');
export const localizedTitle = (result) =>
  modalityOf(result) === 'audio-visual' ? TITLES.localize : MODALITIES[modalityOf(result)];
export const MODALITIES = { audio: 'Heard', visual: 'Seen', 'audio-visual': 'Both at once' };
/** One per segmentation result, in their order. */
export const MASK_COLORS = [
  [255, 61, 127],
  [0, 214, 255],
];

/** All rows, and the playhead. `seek` gets seconds. */
export function drawChart({ duration, answers, truth }, seek) {
  const context = { duration, truth, seek };
  const masked = answers.filter(({ result }) => result.task === 'segment');
  const rows = answers.flatMap((answer) =>
    answer.result.task === 'segment'
      ? [areaRow(answer, masked.indexOf(answer), masked.length > 1, context)]
      : laneRows(answer, context),
  );
  return [ruler(context), ...rows, element('i', { className: 'playhead' })];
}

/** The time axis: a slider, for mouse and keyboard alike. */
function ruler({ duration, seek }) {
  const slider = element('input', { type: 'range', min: 0, max: duration, step: 0.01, value: 0 });
  slider.ariaLabel = 'Position in the video, seconds';
  slider.addEventListener('input', () => seek(Number(slider.value)));
  const every = [1, 2, 5, 10, 30, 60, 300, 600].find((step) => duration / step <= 12) ?? 3600;
  const marks = [];
  for (let time = 0; time < duration - every / 3; time += every) {
    const mark = element('span', { className: 'mark', ariaHidden: 'true' }, clock(time));
    mark.style.left = `${(100 * time) / duration}%`;
    marks.push(mark);
  }
  return row(element('div', { className: 'head' }), 'ruler', element('div', { className: 'track' }, ...marks, slider));
}

function laneRows({ result, comparison }, context) {
  const modalities = result.task === 'localize' ? ['audio-visual'] : Object.keys(MODALITIES);
  return modalities.map((modality) => {
    const title = result.task === 'localize' ? localizedTitle(result) : MODALITIES[modality];
    const events = result.task === 'localize' ? result.events : result.events.filter((e) => e.modality === modality);
    const found = track(events, 'found', title, result.classes, context);
    const lane = comparison?.lanes.find((one) => one.modality === modality);
    if (!lane) return row(head(title), 'lane', found);
    const verdict = `${lane.right.filter(Boolean).length} of ${lane.right.length} right`;
    const real = track(lane.truth, 'true', title, result.classes, context);
    return row(head(title, verdict), 'lane', found, verdicts(lane.right, context), real);
  });
}

/** Events in as many rows as overlap, and a click seeks. */
function track(events, kind, title, classes, context) {
  const { rows, count } = stack(events);
  const bars = events.map((event, index) => bar(event, kind, title, rows[index], classes, context));
  const nothing = element('span', { className: 'nothing' }, kind === 'found' ? 'nothing found' : 'nothing true');
  const node = element('div', { className: `track ${kind}` }, ...(bars.length ? bars : [nothing]));
  node.style.setProperty('--rows', count);
  return seekable(node, context);
}

/** A mark under every second that is wrong. */
function verdicts(right, context) {
  const marks = right.flatMap((ok, second) =>
    ok ? [] : [place(element('i', { title: `${clock(second)} is wrong` }), second, second + 1, context)],
  );
  return element('div', { className: 'verdicts', ariaHidden: 'true' }, ...marks);
}

function areaRow({ result, comparison }, ordinal, named, context) {
  const { masks } = result;
  const { truth } = context;
  const real = truth?.masks
    ? Array.from({ length: truth.seconds }, (_, second) => {
        const mask = maskAt(truth, second);
        return { start: second, end: second + 1, area: mask.reduce((sum, on) => sum + on, 0) / mask.length };
      })
    : [];
  const largest = [...masks, ...real].reduce((top, { area }) => Math.max(top, area), 0);
  const cells = (list, className) =>
    list.map(({ start, end, area }) => {
      const cell = place(element('i', { className, title: `${clock(start)}: ${percent(area)}` }), start, end, context);
      // A share that reads as 0% shall not look like a full bar.
      cell.style.height = `${(100 * area) / Math.max(largest, 0.05)}%`;
      return cell;
    });
  const node = element('div', { className: 'track' }, ...cells(masks, 'cell'), ...cells(real, 'cell true'));
  node.style.setProperty('--color', `rgb(${MASK_COLORS[ordinal % MASK_COLORS.length]})`);
  const notes = [named && result.adapter, `up to ${percent(largest)}`].filter(Boolean).join(', ');
  const title = head(TITLES.segment, comparison ? `${comparison.right} of ${comparison.total} right` : notes);
  if (!comparison) return row(title, 'area', seekable(node, context));
  const right = comparison.overlaps.map((share) => share >= 0.5);
  return row(title, 'area', seekable(node, context), verdicts(right, context));
}

/** For each event the first row in which it overlaps none before it. */
function stack(events) {
  const ends = [];
  const rows = events.map(({ start, end }) => {
    const free = ends.findIndex((last) => last <= start);
    const row = free < 0 ? ends.length : free;
    ends[row] = end;
    return row;
  });
  return { rows, count: Math.max(1, ends.length) };
}

function bar({ label, start, end, confidence }, kind, title, rowIndex, classes, context) {
  const share = kind === 'found' ? percent(confidence) : 'the truth';
  const text = `${label}, ${title.toLowerCase()}, ${start.toFixed(1)} to ${end.toFixed(1)} s, ${share}`;
  const button = element(
    'button',
    { type: 'button', className: 'bar', title: text, ariaLabel: text },
    element('span', {}, label),
  );
  button.style.setProperty('--row', rowIndex);
  button.style.setProperty('--color', classColor(classes.indexOf(label)));
  button.dataset.start = start;
  return place(button, start, end, context);
}

function place(node, start, end, { duration }) {
  node.style.left = `${(100 * start) / duration}%`;
  node.style.width = `calc(${(100 * (Math.min(end, duration) - start)) / duration}% - 1px)`;
  return node;
}

/** A click seeks to where it was; a key on an event, to its start. */
function seekable(track, { duration, seek }) {
  track.addEventListener('click', (event) => {
    const { left, width } = track.getBoundingClientRect();
    const byKey = event.detail === 0;
    const start = event.target.closest('[data-start]')?.dataset.start;
    seek(byKey && start ? Number(start) : ((event.clientX - left) / width) * duration);
  });
  return track;
}

const head = (title, note = '') => element('div', { className: 'head' }, title, note && element('small', {}, note));

function row(head, kind, ...tracks) {
  return element('div', { className: `row ${kind}` }, head, element('div', { className: 'tracks' }, ...tracks));
}
