/**
 * What results look like: mask and true outline over the video, the most probable classes of the second on screen, and a timeline (timeline.js) that follows
 * and seeks.
 */
import { classColor, drawMask, toWebVTT } from '../../dist/page/index.js';
import { compare, labelsAt, maskAt } from '../truth.js';
import { element, percent } from './elements.js';
import { drawChart, localizedTitle, MASK_COLORS, MODALITIES, TITLES } from './timeline.js';

const $ = (id) => document.getElementById(id);
const video = $('video');
const mask = $('mask');
const NEUTRAL = 'var(--neutral)';

/** What is on screen, the time it is shown for, and the second that is drawn. */
let shown = null;
let now = 0;
let drawnSecond = -1;
let captionsUrl = null;

/** Makes room for another clip: the page then has a video, and no results yet. */
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

/** `truth` is that of truth.js, or null where nobody knows it. */
export function showResults(analysis, truth) {
  const { results } = analysis;
  const answers = results.map((result) => ({ result, comparison: truth && compare(result, truth) }));
  shown = { ...analysis, answers, truth };
  drawnSecond = -1;
  captionsUrl = URL.createObjectURL(new Blob([toWebVTT(results)], { type: 'text/vtt' }));
  $('captions').src = captionsUrl;
  $('stage').hidden = false;
  $('timeline').hidden = false;
  $('legend').hidden = !truth;
  $('toggles').hidden = !results.some(({ task }) => task === 'segment');
  $('truth-toggle').hidden = !truth?.masks;
  $('score').textContent = answers.map(scoreText).join('');
  $('chart').replaceChildren(...drawChart(shown, seek));
  show();
}

function scoreText({ result, comparison }) {
  if (!comparison) return '';
  const { right, total, overlaps } = comparison;
  if (!overlaps) return `${right} of ${total} seconds right${result.task === 'parse' ? ', heard and seen' : ''}`;
  return `Overlap with the truth ${percent(overlaps.reduce((sum, share) => sum + share, 0) / overlaps.length)}`;
}

/** Brings mask, readout and playhead to the video's time; the first two change once per second. */
function show() {
  if (!shown) return;
  const { duration, segments, answers } = shown;
  if (!video.error) now = Math.min(video.currentTime, duration);
  $('chart').style.setProperty('--now', now / duration);
  $('chart').querySelector('input').value = now;
  const second = Math.min(Math.floor(now), segments - 1);
  if (second === drawnSecond) return;
  drawnSecond = second;
  drawMasks(second);
  const heading = element('h2', {}, `Second ${second + 1}`, element('small', {}, ` of ${segments}`));
  $('readout').replaceChildren(heading, ...answers.flatMap((answer, ordinal) => readout(answer, second, ordinal)));
}

function drawMasks(second) {
  const context = mask.getContext('2d');
  context.clearRect(0, 0, mask.width, mask.height);
  let ordinal = 0;
  for (const { result } of shown.answers) {
    if (result.task !== 'segment') continue;
    const color = MASK_COLORS[ordinal++ % MASK_COLORS.length];
    if ($('show-mask').checked && result.masks[second]) drawMask(context, result.masks[second], { color });
  }
  if ($('show-truth').checked && shown.truth?.masks) drawOutline(context, shown.truth, second);
}

/** The edge of the true mask: a light line on a dark one, so that it shows on any picture. */
function drawOutline(context, truth, second) {
  const { width, height } = truth.masks;
  const inside = maskAt(truth, second);
  const at = (x, y) => x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
  const [stepX, stepY] = [mask.width / width, mask.height / height];
  const path = new Path2D();
  const line = (fromX, fromY, toX, toY) => {
    path.moveTo(fromX * stepX, fromY * stepY);
    path.lineTo(toX * stepX, toY * stepY);
  };
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(x, y) !== at(x - 1, y)) line(x, y, x, y + 1);
      if (at(x, y) !== at(x, y - 1)) line(x, y, x + 1, y);
    }
  }
  context.lineCap = 'round';
  for (const [color, weight] of [
    ['rgb(0 0 0 / 0.55)', 5],
    ['#fff', 2],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = (weight * mask.width) / 640;
    context.stroke(path);
  }
}

/** The classes of one second, most probable first. */
function readout({ result, comparison }, second, ordinal) {
  if (result.task === 'segment') {
    const lines = [
      meter('of the picture', result.masks[second].area, `rgb(${MASK_COLORS[ordinal % MASK_COLORS.length]})`),
    ];
    if (comparison) lines.push(meter('overlap', comparison.overlaps[second] ?? 0, 'var(--accent)'));
    return [set(TITLES.segment + silence(result.masks[second].withheld), lines)];
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
  if (result.task === 'localize') {
    const title = localizedTitle(result) + silence(at.withheld);
    return [set(title, top(at.probabilities), trueText('audio-visual', second))];
  }
  return [
    set(MODALITIES.audio + silence(at.withheld.audio), top(at.audio), trueText('audio', second)),
    set(MODALITIES.visual + silence(at.withheld.visual), top(at.visual), trueText('visual', second)),
  ];
}

/** Said where an answer is left out. */
const silence = (withheld) => (withheld ? ', unfamiliar: no answer' : '');

function trueText(modality, second) {
  if (!shown.truth) return '';
  return `true: ${labelsAt(shown.truth, modality, second).join(', ') || 'nothing'}`;
}

function set(title, lines, truth = '') {
  const heading = element('h3', {}, title);
  if (truth) heading.append(element('small', {}, truth));
  return element('div', { className: 'set' }, heading, ...lines);
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

function seek(time) {
  // Just before the end at most, where there still is a picture.
  now = Math.min(Math.max(0, time), shown.duration - 0.02);
  if (video.error) show();
  else video.currentTime = now;
}

function redraw() {
  drawnSecond = -1;
  show();
}

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
  mask.width = Math.min(960, Math.max(640, videoWidth));
  mask.height = Math.round((mask.width * videoHeight) / videoWidth);
  redraw();
});
// A file that the SDK reads and this browser cannot play: results without a picture.
video.addEventListener('error', () => $('stage').classList.add('unplayable'));
for (const type of ['seeking', 'seeked', 'timeupdate']) video.addEventListener(type, show);
for (const id of ['show-mask', 'show-truth']) $(id).addEventListener('change', redraw);
