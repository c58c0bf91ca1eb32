/**
 * The page's flow: take a file, load the models once, analyze, show. It uses the built package as any page would, without a bundler; what results look
 * like is in results.js. `?device=wasm` or `?device=webgpu` in the address chooses the device.
 */
import { createMettle } from '../../dist/page/index.js';
import { clearResults, showResults } from './results.js';

const $ = (id) => document.getElementById(id);
const device = new URLSearchParams(location.search).get('device') ?? 'auto';

/** The loaded models; kept for the next file. */
let mettle = null;
/** Aborts the work in progress; null when there is none. */
let job = null;
let fileUrl = null;

$('not-served').remove();

async function analyze(file) {
  job?.abort();
  const mine = new AbortController();
  job = mine;
  const isCurrent = () => job === mine;
  const onProgress = (progress) => isCurrent() && showProgress(progress);
  open(file);
  try {
    mettle ??= await createMettle({ device, signal: mine.signal, onProgress });
    showDevice(mettle.info());
    const analysis = await mettle.analyze(file, { signal: mine.signal, onProgress });
    if (!isCurrent()) return;
    $('timing').textContent =
      `${seconds(analysis.duration)} of video analyzed in ${seconds(analysis.timing.totalMs / 1000)}.`;
    showNotes(analysis);
    showResults(analysis);
    document.body.dataset.state = 'done';
  } catch (error) {
    if (isCurrent()) await showFailure(error, mine.signal);
  } finally {
    if (isCurrent()) {
      job = null;
      $('progress').hidden = true;
    }
  }
}

/** Shows the video at once, and nothing of the one before. */
function open(file) {
  document.body.dataset.state = 'busy';
  $('name').textContent = file.name;
  for (const id of ['error', 'notice', 'warnings']) $(id).hidden = true;
  $('timing').textContent = '';
  clearResults();
  if (fileUrl) URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(file);
  $('video').src = fileUrl;
  $('progress').hidden = false;
  showProgress({ phase: 'open' });
}

function showProgress({ phase, done, total }) {
  const texts = {
    open: () => 'Opening…',
    download: () => `Fetching models: ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`,
    load: () => `Preparing models: ${done} of ${total}`,
    warmup: () => `Warming up: ${done} of ${total}`,
    segments: () => `Watching and listening: ${done} of ${total} seconds`,
  };
  $('status').textContent = texts[phase]();
  if (total) $('bar').value = done / total;
  else $('bar').removeAttribute('value');
}

function showDevice({ device, runtime, threads, gpu, backbone, why }) {
  const parts = [
    { webgpu: 'WebGPU', wasm: 'WASM' }[device] ?? device,
    gpu && (gpu.description || gpu.architecture || gpu.vendor),
    threads === 1 ? '1 thread' : `${threads} threads`,
    runtime,
    `backbone ${backbone.id} ${backbone.version}`,
  ];
  const line = document.createElement('strong');
  line.textContent = parts.filter(Boolean).join(', ');
  $('device').replaceChildren(line, document.createElement('br'), why.join(' '));
}

/** What should be known about valid results: above all, that untrained models answer without knowing anything. */
function showNotes({ results, warnings }) {
  const untrained = results.filter((result) => result.untrained).map((result) => result.adapter);
  $('notice').hidden = untrained.length === 0;
  const title = document.createElement('strong');
  title.textContent = 'These models are untrained.';
  $('notice').replaceChildren(
    title,
    ` The weights of ${untrained.join(', ')} are noise: the page shows how the SDK works and how fast, but events and masks mean nothing.`,
  );
  const others = [...mettle.info().warnings, ...warnings].filter(({ code }) => code !== 'untrained');
  $('warnings').hidden = others.length === 0;
  $('warnings').replaceChildren(
    ...others.map(({ message }) => Object.assign(document.createElement('li'), { textContent: message })),
  );
}

async function showFailure(error, signal) {
  document.body.dataset.state = 'done';
  const cancelled = signal.aborted;
  $('readout').replaceChildren();
  $('error').hidden = false;
  $('error').classList.toggle('error', !cancelled);
  $('error').querySelector('strong').textContent = cancelled ? 'Cancelled.' : error.message;
  $('error').querySelector('span').textContent = cancelled ? '' : (error.hint ?? '');
  // Neither a lost GPU nor a dead worker comes back: the next file gets new ones.
  if (error.code === 'device' || error.code === 'worker-died') {
    const broken = mettle;
    mettle = null;
    await broken?.dispose();
  }
}

const seconds = (value) => `${value.toFixed(1)} s`;

$('file').addEventListener('change', ({ target }) => {
  const [file] = target.files;
  // Emptied, so that choosing the same file again is a change too.
  target.value = '';
  if (file) analyze(file);
});
$('cancel').addEventListener('click', () => job?.abort());
for (const type of ['dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault();
    $('drop').classList.toggle('over', type === 'dragover');
    const file = type === 'drop' && event.dataTransfer.files[0];
    if (file) analyze(file);
  });
}
addEventListener('pagehide', ({ persisted }) => persisted || mettle?.dispose());
