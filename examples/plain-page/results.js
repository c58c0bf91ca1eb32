/** What results look like: a mask over the video, the most probable classes of the second on screen, and a timeline that follows and seeks. */
import { classColor, drawMask, toWebVTT } from '../../dist/page/index.js';

const $ = (id) => document.getElementById(id);
const video = $('video');
const mask = $('mask');

const TITLES = { localization: 'Seen and heard', parsing: 'Video parsing', segmentation: 'Sounding area' };
const MODALITIES = { audio: 'Heard', visual: 'Seen', 'audio-visual': 'Both at once' };
const NEUTRAL = 'var(--neutral)';
const MASK_COLOR = [255, 61, 127];

/** The analysis on screen, the time it is shown for, and the second that is drawn. */
let shown = null;
let now = 0;
let drawnSecond = -1;
let captionsUrl = null;

/** Makes room for another file: the page then has a video, and no results yet. */
export function clearResults() {
  shown = null;
  now = 0;
  $('timeline').hidden = true;
  $('stage').hidden = true;
  $('stage').className = 'stage';
  $('readout').replaceChildren(element('p', { className: 'soft' }, 'What is found will be listed here.'));
  mask.getContext('2d').clearRect(0, 0, mask.width, mask.height);
  $('captions').removeAttribute('src');
  if (captionsUrl) URL.revokeObjectURL(captionsUrl);
  captionsUrl = null;
}

export function showResults(analysis) {
  shown = analysis;
  drawnSecond = -1;
  captionsUrl = URL.createObjectURL(new Blob([toWebVTT(analysis.results)], { type: 'text/vtt' }));
  $('captions').src = captionsUrl;
  $('stage').hidden = false;
  $('timeline').hidden = false;
  const rows = analysis.results.flatMap(rowsOf);
  $('chart').replaceChildren(ruler(analysis.duration), ...rows, element('i', { className: 'playhead' }));
  show();
}

/** Brings mask, readout and playhead to the video's time; the first two change once per second. */
function show() {
  if (!shown) return;
  const { duration, results } = shown;
  if (!video.error) now = Math.min(video.currentTime, duration);
  $('chart').style.setProperty('--now', now / duration);
  $('chart').querySelector('input').value = now;
  const second = Math.min(Math.floor(now), shown.segments - 1);
  if (second === drawnSecond) return;
  drawnSecond = second;
  const context = mask.getContext('2d');
  context.clearRect(0, 0, mask.width, mask.height);
  for (const result of results) {
    if (result.task === 'segmentation' && result.masks[second])
      drawMask(context, result.masks[second], { color: MASK_COLOR });
  }
  const heading = element('h2', {}, `Second ${second + 1}`, element('small', {}, ` of ${shown.segments}`));
  $('readout').replaceChildren(heading, ...results.flatMap((result) => readout(result, second)));
}

/** The classes of one second, most probable first. */
function readout(result, second) {
  if (result.task === 'segmentation') {
    const { area } = result.masks[second];
    return [set(TITLES.segmentation, [meter('of the picture', area, `rgb(${MASK_COLOR})`)])];
  }
  const { classes } = result;
  const top = (probabilities) =>
    probabilities
      .map((probability, index) => ({ probability, index }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3)
      .map(({ probability, index }) =>
        index < classes.length
          ? meter(classes[index], probability, classColor(index))
          : meter('background', probability, NEUTRAL),
      );
  const at = result.seconds[second];
  if (result.task === 'localization') return [set(TITLES.localization, top(at.probabilities))];
  return [set(MODALITIES.audio, top(at.audio)), set(MODALITIES.visual, top(at.visual))];
}

function set(title, lines) {
  return element('div', { className: 'set' }, element('h3', {}, title), ...lines);
}

function meter(label, share, color) {
  const bar = element('i', { className: 'meter', ariaHidden: 'true' });
  bar.style.setProperty('--share', share);
  bar.style.setProperty('--color', color);
  return element(
    'p',
    { className: 'line' },
    element('span', { className: 'label', title: label }, label),
    bar,
    element('span', { className: 'value' }, percent(share)),
  );
}

/** The time axis: a slider, for mouse and keyboard alike. */
function ruler(duration) {
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
  return row('', element('div', { className: 'track' }, ...marks, slider), 'ruler');
}

/** One row per modality with its events, or the masked share of every second. */
function rowsOf(result) {
  if (result.task === 'segmentation') return [areaRow(result)];
  const lanes =
    result.task === 'localization'
      ? [{ title: TITLES.localization, events: result.events }]
      : Object.entries(MODALITIES).map(([modality, title]) => ({
          title,
          events: result.events.filter((event) => event.modality === modality),
        }));
  return lanes.map(({ title, events }) => {
    const { rows, count } = stack(events);
    const bars = events.map((event, index) => bar(event, title, rows[index]));
    const track = element(
      'div',
      { className: 'track' },
      ...(bars.length ? bars : [element('span', { className: 'nothing' }, 'nothing found')]),
    );
    track.style.setProperty('--rows', count);
    return row(title, seekable(track), 'lane');
  });
}

function areaRow({ masks }) {
  const largest = masks.reduce((top, { area }) => Math.max(top, area), 0);
  const cells = masks.map(({ start, end, area }) => {
    const cell = place(element('i', { className: 'cell', title: `${clock(start)}: ${percent(area)}` }), start, end);
    // A share that reads as 0% shall not look like a full bar.
    cell.style.height = `${(100 * area) / Math.max(largest, 0.05)}%`;
    return cell;
  });
  const track = element('div', { className: 'track' }, ...cells);
  track.style.setProperty('--color', `rgb(${MASK_COLOR})`);
  return row(TITLES.segmentation, seekable(track), 'area', `up to ${percent(largest)}`);
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

function bar({ label, classIndex, start, end, confidence }, title, rowIndex) {
  const text = `${label}, ${title.toLowerCase()}, ${start.toFixed(1)} to ${end.toFixed(1)} s, ${percent(confidence)}`;
  const button = element(
    'button',
    { type: 'button', className: 'bar', title: text, ariaLabel: text },
    element('span', {}, label),
  );
  button.style.setProperty('--row', rowIndex);
  button.style.setProperty('--color', classColor(classIndex));
  button.dataset.start = start;
  return place(button, start, end);
}

function place(node, start, end) {
  node.style.left = `${(100 * start) / shown.duration}%`;
  node.style.width = `calc(${(100 * (end - start)) / shown.duration}% - 1px)`;
  return node;
}

/** A click seeks to where it was; a key on an event, to its start. */
function seekable(track) {
  track.addEventListener('click', (event) => {
    const { left, width } = track.getBoundingClientRect();
    const byKey = event.detail === 0;
    const start = event.target.closest('[data-start]')?.dataset.start;
    seek(byKey && start ? Number(start) : ((event.clientX - left) / width) * shown.duration);
  });
  return track;
}

function row(title, track, kind, note = '') {
  const label = element('div', { className: 'head' }, title, note && element('small', {}, note));
  return element('div', { className: `row ${kind}` }, label, track);
}

function seek(time) {
  // Just before the end at most, where there still is a picture.
  now = Math.min(Math.max(0, time), shown.duration - 0.02);
  if (video.error) show();
  else video.currentTime = now;
}

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const percent = (share) => `${Math.round(100 * share)}%`;
const clock = (time) => `${Math.floor(time / 60)}:${String(Math.floor(time % 60)).padStart(2, '0')}`;

function follow() {
  show();
  if (!video.paused) requestAnimationFrame(follow);
}
video.addEventListener('play', follow);
video.addEventListener('loadedmetadata', () => {
  const { videoWidth, videoHeight } = video;
  $('stage').hidden = false;
  $('stage').classList.toggle('blind', videoWidth === 0);
  if (videoWidth === 0) return;
  $('picture').style.setProperty('--ratio', videoWidth / videoHeight);
  mask.width = Math.min(960, videoWidth);
  mask.height = Math.round((mask.width * videoHeight) / videoWidth);
  drawnSecond = -1;
  show();
});
// A file that the SDK reads and this browser cannot play: results without a picture.
video.addEventListener('error', () => $('stage').classList.add('unplayable'));
for (const type of ['seeking', 'seeked', 'timeupdate']) video.addEventListener(type, show);
$('show-mask').addEventListener('change', ({ target }) => {
  mask.hidden = !target.checked;
});
