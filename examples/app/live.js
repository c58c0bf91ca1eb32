/** Camera and microphone, moment by moment: what goes on, what began and ended, how late it comes, what was left out. */
import { clock, element } from '../plain-page/elements.js';
import { chips } from './active.js';
import { chosenAdapters, tellFamiliarity } from './adapters.js';
import { factsOf, showDevice, showWarnings } from './device.js';
import { hideProgress, run, showProgress } from './job.js';
import { startLog } from './live-log.js';
import { drawMasks, fitPicture } from './masks.js';
import { modelsFor } from './models.js';
import { leaveUnfinished } from './stage.js';
import { milliseconds } from './words.js';

const $ = (id) => document.getElementById(id);
const video = $('live-video');

let stream = null;

$('watch').addEventListener('click', () => (stream ? stopTracks() : watch()));

/** Watches with what is chosen, as the button does. */
export function startWatching() {
  if (!stream) watch();
}

/** The source ends, and with it the loop: the last moment ends all events. */
export function stopTracks() {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function watch() {
  return run(async ({ signal, onProgress }) => {
    document.body.dataset.state = 'working';
    leaveUnfinished();
    showProgress({ phase: 'camera' });
    const mine = await openDevices();
    try {
      signal.throwIfAborted();
      begin(mine);
      const mettle = await modelsFor(chosenAdapters(), { signal, onProgress });
      showDevice(mettle.info(), null);
      hideProgress();
      document.body.dataset.state = 'live';
      await show(mettle.watch(mine, { hop: Number($('hop').value), signal }));
    } finally {
      for (const track of mine.getTracks()) track.stop();
      if (stream === mine) end();
    }
  });
}

const picture = { width: { ideal: 640 }, facingMode: 'environment' };
/** What browsers do to sound for calls takes away much of what is no speech. */
const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Of what is wanted both where there are both, else the one there is. */
export async function openDevices({ wantSound = true, wantPicture = true } = {}) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const has = (kind) => devices.some((device) => device.kind === kind);
  const audio = wantSound && (!wantPicture || has('audioinput'));
  const video = wantPicture && (!wantSound || has('videoinput'));
  try {
    // Without any, the browser says so itself.
    return await navigator.mediaDevices.getUserMedia({ audio: (audio || !video) && sound, video: video && picture });
  } catch (cause) {
    throw Object.assign(new Error(`Camera and microphone cannot be used: ${cause.message}.`, { cause }), {
      hint: 'Let this page use them in the settings of the browser, and see that no other program holds them.',
    });
  }
}

function begin(mine) {
  stream = mine;
  $('watch').textContent = 'Stop';
  $('watch').classList.remove('primary');
  $('hop').disabled = true;
  $('live-stage').hidden = false;
  $('live-stage').classList.toggle('blind', mine.getVideoTracks().length === 0);
  $('live-log').hidden = false;
  $('live-now').replaceChildren(element('li', { className: 'soft' }, 'Listening and watching…'));
  $('pulse').replaceChildren();
  showWarnings([]);
  video.srcObject = mine;
  video.play();
}

function end() {
  stream = null;
  video.srcObject = null;
  $('watch').textContent = 'Start watching';
  $('watch').classList.add('primary');
  $('hop').disabled = false;
  $('live-now').replaceChildren(element('li', { className: 'soft' }, 'Stopped'));
  drawMasks($('live-mask'), []);
  if (document.body.dataset.state === 'live') document.body.dataset.state = 'stopped';
}

async function show(moments) {
  const log = startLog();
  const total = { moments: 0, dropped: 0 };
  for await (const moment of moments) {
    const { events, results, start } = moment;
    const going = told([...events.began, ...events.ongoing], results);
    log({ going, ended: events.ended, start, hasPicture: hasPicture() });
    if (moment.last) return;
    total.moments++;
    total.dropped += moment.dropped;
    showMoment(moment, going, total);
  }
}

const hasPicture = () => video.videoWidth > 0;

function showMoment({ results, latency, start, warnings }, going, { moments, dropped }) {
  $('live-now').replaceChildren(...chips(going, hasPicture()));
  const [mask = null] = results.flatMap(({ masks = [] }) => masks);
  drawMasks($('live-mask'), [mask]);
  const facts = { Time: clock(start), Latency: milliseconds(latency), Moments: moments, 'Left out': dropped };
  $('pulse').replaceChildren(...factsOf(facts));
  tellFamiliarity(results);
  showWarnings(warnings);
}

/** With whether who said it tells the senses apart. */
function told(events, results) {
  const apart = new Set(results.filter(({ task }) => task === 'parse').map(({ adapter }) => adapter));
  return events.map((event) => ({ ...event, apart: apart.has(event.adapter) }));
}

video.addEventListener('loadedmetadata', () => {
  if (hasPicture()) fitPicture($('live-picture'), $('live-mask'), video);
});
