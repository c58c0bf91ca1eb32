/** The timeline: an axis that is a slider, and for each adapter a lane per sense. Where something is heard and not seen, its bar is striped. */
import { classColor } from '../../dist/page/index.js';
import { clock, element, percent } from '../plain-page/elements.js';
import { eventsOf } from './active.js';
import { cssColorOf } from './masks.js';
import { offScreen } from './offscreen.js';
import { nothingWords, SENSES, TASKS } from './words.js';

/** All rows and the playhead; `seek` gets seconds. */
export function drawTimeline({ duration, results, video }, seek) {
  const context = { duration, hasPicture: video !== null, seek };
  const segmented = results.filter(({ task }) => task === 'segment');
  const groups = results.map((result) => group(result, segmented.indexOf(result), context));
  return [axis(context), ...groups, element('i', { className: 'playhead' })];
}

function axis({ duration, seek }) {
  const slider = element('input', { type: 'range', min: 0, max: duration, step: 0.1, value: 0 });
  slider.ariaLabel = 'Position in the film, seconds';
  slider.addEventListener('input', () => seek(Number(slider.value)));
  const every = [1, 2, 5, 10, 30, 60, 300, 600].find((step) => duration / step <= 12) ?? 3600;
  const marks = [];
  for (let time = 0; time < duration - every / 3; time += every) {
    const mark = element('span', { className: 'mark' }, clock(time));
    mark.style.setProperty('--at', time / duration);
    marks.push(mark);
  }
  const scale = element('div', { className: 'scale', ariaHidden: 'true' }, ...marks);
  return element('div', { className: 'row axis' }, element('span', {}), element('div', {}, slider, scale));
}

function group(result, ordinal, context) {
  const { adapter, task } = result;
  const rows = task === 'segment' ? [areaRow(result, ordinal, context)] : laneRows(result, context);
  const name = element('h3', {}, adapter, element('small', {}, ` ${TASKS[task]}`));
  return element('section', { className: 'group' }, name, ...rows);
}

function laneRows(result, context) {
  const events = eventsOf([result]);
  const senses = result.task === 'parse' ? Object.keys(SENSES) : [events[0]?.modality ?? 'audio-visual'];
  const together = events.filter(({ modality }) => modality === 'audio-visual');
  return senses.map((sense) => {
    const rows = rowsOf(events.filter(({ modality }) => modality === sense));
    const bars = rows.flatMap((row, index) => row.map((event) => bar(event, index, sense, together, context)));
    const lane = element('div', { className: 'lane' }, ...bars);
    lane.style.setProperty('--rows', rows.length);
    if (bars.length === 0) lane.append(nothing(result));
    return element('div', { className: 'row' }, element('span', { className: 'sense' }, SENSES[sense]), walked(lane));
  });
}

/** Events in as many rows as overlap. */
function rowsOf(events) {
  const rows = [[]];
  for (const event of events) {
    const free = rows.find((row) => !(row.at(-1)?.end > event.start));
    if (free) free.push(event);
    else rows.push([event]);
  }
  return rows;
}

function bar(event, row, sense, together, context) {
  const { label, classIndex, start, confidence, apart } = event;
  const hidden = sense === 'audio' && apart && context.hasPicture ? offScreen(event, together) : [];
  const span = ({ start, end }) => `${clock(start)} to ${clock(end)}`;
  const off = hidden.length > 0 ? `, off-screen ${hidden.map(span).join(' and ')}` : '';
  const told = `, ${SENSES[sense].toLowerCase()}, ${span(event)}${off}, ${percent(confidence)}`;
  const stripes = hidden.map((stretch) => place(element('i', { className: 'off' }), stretch, event));
  const button = element(
    'button',
    { type: 'button', className: 'bar', title: label + told },
    ...stripes,
    element('span', { className: 'name' }, label),
    element('span', { className: 'unseen' }, told),
  );
  button.style.setProperty('--row', row);
  button.style.setProperty('--color', classColor(classIndex));
  button.addEventListener('click', () => context.seek(start));
  return place(button, event, { start: 0, end: context.duration });
}

function areaRow(result, ordinal, context) {
  const { masks } = result;
  const largest = Math.max(0.05, ...masks.map(({ area }) => area));
  const cells = masks.map((mask) => {
    const cell = place(element('i', { className: 'cell' }), mask, { start: 0, end: context.duration });
    cell.style.setProperty('--share', mask.area / largest);
    return cell;
  });
  const told = `Up to ${percent(Math.max(0, ...masks.map(({ area }) => area)))} of the picture`;
  const lane = element('div', { className: 'lane area', role: 'img', ariaLabel: told, title: told }, ...cells);
  if (masks.every(({ area }) => area === 0)) lane.append(nothing(result));
  lane.style.setProperty('--color', cssColorOf(ordinal));
  return element('div', { className: 'row' }, element('span', { className: 'sense' }, 'Area'), lane);
}

const nothing = (result) => element('span', { className: 'nothing' }, nothingWords(result));

/** Where a stretch lies within another. */
function place(node, { start, end }, within) {
  const length = within.end - within.start;
  node.style.setProperty('--at', (start - within.start) / length);
  node.style.setProperty('--length', (Math.min(end, within.end) - start) / length);
  return node;
}

/** A lane is one stop of the Tab key; arrows go from bar to bar. */
function walked(lane) {
  const bars = [...lane.querySelectorAll('.bar')];
  for (const [index, one] of bars.entries()) {
    one.tabIndex = index === 0 ? 0 : -1;
    one.addEventListener('keydown', ({ key }) => {
      const next = bars[index + ({ ArrowRight: 1, ArrowLeft: -1 }[key] ?? Number.NaN)];
      if (!next) return;
      one.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
  return lane;
}
