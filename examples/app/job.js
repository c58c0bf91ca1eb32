/** One piece of work at a time, with its progress, its cancel button, and what is said when it fails. A newer one ends the one before. */
import { releaseBroken } from './models.js';

const $ = (id) => document.getElementById(id);

let current = null;

const texts = {
  open: () => 'Opening…',
  camera: () => 'Waiting for camera and microphone…',
  download: ({ done, total }) => `Fetching models: ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`,
  load: ({ done, total }) => `Preparing models: ${done} of ${total}`,
  warmup: ({ done, total }) => `Warming up: ${done} of ${total}`,
  recording: ({ left }) => `Recording: ${left} s left`,
  examples: ({ done, total }) => `Looking at examples: ${done} of ${total} seconds`,
  learning: () => 'Learning…',
  segments: ({ done, total }) => `Watching and listening: ${done} of ${total} seconds`,
};

/** Calls `work({ signal, onProgress, isCurrent })`. What it throws is shown, with its hint. */
export async function run(work) {
  endJob();
  const controller = new AbortController();
  current = controller;
  const isCurrent = () => current === controller;
  const { signal } = controller;
  const onProgress = (progress) => isCurrent() && showProgress(progress);
  $('error').hidden = true;
  try {
    await work({ signal, onProgress, isCurrent });
  } catch (error) {
    if (isCurrent()) showFailure(error, signal);
    await releaseBroken(error);
  } finally {
    if (isCurrent()) {
      current = null;
      hideProgress();
    }
  }
}

/** Ends what runs, without a word. */
function endJob() {
  const before = current;
  current = null;
  before?.abort();
  hideProgress();
}

export function showProgress(progress) {
  const { phase, done, total } = progress;
  $('progress').hidden = false;
  $('status').textContent = texts[phase](progress);
  if (total) $('bar').value = done / total;
  else $('bar').removeAttribute('value');
}

export function hideProgress() {
  // The focus would be lost with the button that has it.
  if ($('progress').contains(document.activeElement))
    document.querySelector('[role="tab"][aria-selected="true"]').focus();
  $('progress').hidden = true;
}

function showFailure(error, signal) {
  const cancelled = signal.aborted;
  document.body.dataset.state = cancelled ? 'cancelled' : 'error';
  $('error').hidden = false;
  $('error').classList.toggle('error', !cancelled);
  $('error').querySelector('strong').textContent = cancelled ? 'Cancelled.' : error.message;
  $('error').querySelector('span').textContent = cancelled ? '' : (error.hint ?? '');
}

$('cancel').addEventListener('click', () => current?.abort());
