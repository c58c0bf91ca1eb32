/** The film on its stage: masks over the picture, what goes on at the time on screen, and a playhead that follows and seeks. */
import { clock, element } from '../plain-page/elements.js';
import { chips, eventsOf } from './active.js';
import { drawLooked, listenedRow, lookedBox } from './looked.js';
import { drawMasks, fitPicture, maskBoxes } from './masks.js';
import { drawTimeline } from './timeline.js';

const $ = (id) => document.getElementById(id);
const video = $('video');

/** What is on screen, the time it is shown for, and the second that is drawn. */
let shown = null;
let now = 0;
let drawnSecond = -1;
let fileUrl = null;

/** The film alone; results come later. */
export function showFilm(file) {
  clearStage();
  if (fileUrl) URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(file);
  video.src = fileUrl;
  $('stage').hidden = false;
  $('now').replaceChildren(element('p', { className: 'soft' }, 'What is found will stand here.'));
}

export function clearStage() {
  shown = null;
  now = 0;
  video.removeAttribute('src');
  video.load();
  $('stage').hidden = true;
  $('stage').className = 'card stage';
  $('timeline').hidden = true;
  $('layers').replaceChildren();
  drawMasks($('mask'), []);
}

/** A film whose analysis was ended for something else goes. */
export function leaveUnfinished() {
  if (!shown) clearStage();
}

/** `explain` gives where the first result's adapter looked, second by second; null where it was called off. */
export function showAnalysis(analysis, explain) {
  shown = { ...analysis, events: eventsOf(analysis.results), looked: null };
  shown.segmented = analysis.results.filter(({ task }) => task === 'segment');
  $('layers').replaceChildren(
    ...maskBoxes(
      shown.segmented.map(({ adapter }) => adapter),
      redraw,
    ),
    lookedBox(analysis.results[0], (on) => toggleLooked(on, explain)),
  );
  $('chart').replaceChildren(...drawTimeline(shown, seek));
  $('timeline').hidden = false;
  $('legend').hidden = analysis.video === null;
  redraw();
}

/** The film is gone through once more the first time; after that it is only shown or hidden. */
async function toggleLooked(on, explain) {
  const film = shown;
  if (on && !film.looked) film.looked = await explain();
  if (film !== shown) return;
  $('looked').checked = on && film.looked !== null;
  $('listened')?.remove();
  const [{ adapter }] = film.results;
  const row = $('looked').checked && listenedRow(adapter, film.looked);
  if (row) $('chart').querySelector('.playhead').before(row);
  redraw();
}

/** Just before the end at most, where there still is a picture. */
export function seek(time) {
  now = Math.min(Math.max(0, time), shown.duration - 0.02);
  if (video.error) show();
  else video.currentTime = now;
}

export const pauseFilm = () => video.pause();

function redraw() {
  drawnSecond = -1;
  show();
}

/** Brings playhead, masks and words to the film's time; the last two change once per second. */
function show() {
  if (!shown) return;
  const { duration, segments } = shown;
  if (!video.error) now = Math.min(video.currentTime, duration);
  $('chart').style.setProperty('--now', now / duration);
  const slider = $('chart').querySelector('input');
  slider.value = now;
  slider.ariaValueText = `${clock(now)} of ${clock(duration)}`;
  const second = Math.min(Math.floor(now), segments - 1);
  if (second === drawnSecond) return;
  drawnSecond = second;
  const wanted = [...$('layers').querySelectorAll('input:not(#looked)')].map(({ checked }) => checked);
  drawMasks(
    $('mask'),
    shown.segmented.map(({ masks }, ordinal) => (wanted[ordinal] ? masks[second] : null)),
  );
  const isLooking = $('looked').checked && shown.looked;
  if (isLooking) drawLooked($('mask'), shown.looked[second]);
  $('mask').ariaLabel =
    `Where the sound comes from${isLooking ? `, and where ${shown.results[0].adapter} looked` : ''}`;
  tellSecond(second);
}

function tellSecond(second) {
  const going = shown.events.filter(({ start, end }) => start < second + 1 && end > second);
  const title = element('h2', {}, `Second ${second + 1}`, element('small', {}, ` of ${shown.segments}`));
  $('now').replaceChildren(title, element('ul', { className: 'chips' }, ...chips(going, shown.video !== null)));
}

function follow() {
  show();
  if (!video.paused) requestAnimationFrame(follow);
}

video.addEventListener('play', follow);
for (const type of ['seeking', 'seeked', 'timeupdate']) video.addEventListener(type, show);
video.addEventListener('loadedmetadata', () => {
  $('stage').classList.toggle('blind', video.videoWidth === 0);
  if (video.videoWidth === 0) return;
  fitPicture($('picture'), $('mask'), video);
  if (shown) redraw();
});
// A film that the SDK reads and this browser cannot play: results without a picture.
video.addEventListener('error', () => video.hasAttribute('src') && $('stage').classList.add('blind'));
