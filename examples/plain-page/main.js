/**
 * The page's flow: take a clip of the gallery or a file, load the models once, analyze, show. It uses the built package as any page would, without a bundler;
 * what results look like is in results.js. `?device=wasm` or `?device=webgpu` in the address chooses the device.
 */
import { createMettle } from '../../dist/page/index.js';
import { element } from './elements.js';
import { fetchClip, markClip, showGallery } from './gallery.js';
import { clearResults, showResults } from './results.js';

const $ = (id) => document.getElementById(id);
const device = new URLSearchParams(location.search).get('device') ?? 'auto';

/** In a checkout, which npm did not install, the runtime does not lie beside the package. */
const runtimePath = '../../node_modules/onnxruntime-web/dist/';

/** The loaded models; kept for the next clip of the same world, which `world` tells. */
let mettle = null;
let world = null;
/** Aborts the work in progress; null when there is none. */
let job = null;
let fileUrl = null;

$('not-served').remove();
showGallery((clip) =>
  analyze({ name: clip.title, note: clip.question, clip, open: (signal) => fetchClip(clip, signal) }),
);

const analyzeFile = (file) =>
  analyze({ name: file.name, note: '', clip: null, open: async () => ({ file, truth: null }) });

/** A clip of the gallery is answered by the adapter that learned from clips of its kind; a file, by those that the SDK takes by itself. */
async function analyze({ name, note, clip, open }) {
  job?.abort();
  const mine = new AbortController();
  job = mine;
  const { signal } = mine;
  const isCurrent = () => job === mine;
  const onProgress = (progress) => isCurrent() && showProgress(progress);
  announce(name, note, clip);
  try {
    const { file, truth } = await open(signal);
    if (!isCurrent()) return;
    show(file);
    await useModels(clip?.world, { signal, onProgress });
    showDevice(mettle.info());
    const analysis = await mettle.analyze(file, { signal, onProgress, ...(clip && { tasks: [clip.task] }) });
    if (!isCurrent()) return;
    const results = analysis.results.filter(({ adapter }) => !clip || adapter === clip.adapter);
    showTiming(analysis, mettle.info());
    showNotes(results, analysis.warnings);
    showResults({ ...analysis, results }, truth);
    document.body.dataset.state = 'done';
  } catch (error) {
    if (isCurrent()) await showFailure(error, signal);
  } finally {
    if (isCurrent()) {
      job = null;
      $('progress').hidden = true;
    }
  }
}

/** Loads these adapters, or those that the SDK takes by itself; others that were loaded go. */
async function useModels(adapters, options) {
  const wanted = String(adapters);
  if (mettle && wanted === world) return;
  const before = mettle;
  mettle = null;
  await before?.dispose();
  mettle = await createMettle({ ...(adapters && { adapters }), device, runtimePath, ...options });
  world = wanted;
}

/** Says what is coming, and shows nothing of the clip before. */
function announce(name, note, clip) {
  document.body.dataset.state = 'busy';
  $('name').replaceChildren(element('strong', {}, name), element('span', {}, note));
  markClip(clip);
  for (const id of ['error', 'notice', 'warnings', 'scopes']) $(id).hidden = true;
  clearResults();
  $('progress').hidden = false;
  showProgress({ phase: 'open' });
}

function show(file) {
  if (fileUrl) URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(file);
  $('video').src = fileUrl;
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

const deviceName = ({ device, threads }) =>
  device === 'wasm'
    ? `WASM, ${threads === 1 ? '1 thread' : `${threads} threads`}`
    : device === 'webgpu'
      ? 'WebGPU'
      : device;

function showDevice(info) {
  const { gpu, runtime, backbone, why } = info;
  const parts = [
    deviceName(info),
    gpu && (gpu.description || gpu.architecture || gpu.vendor),
    runtime,
    `backbone ${backbone.id} ${backbone.version}`,
  ];
  const line = element('strong', {}, parts.filter(Boolean).join(', '));
  $('device').replaceChildren(line, element('br'), why.join(' '));
}

function showTiming({ duration, segments, timing }, info) {
  const each = timing.modelMs / segments;
  $('timing').textContent =
    `${deviceName(info)}: ${each < 10 ? each.toFixed(1) : Math.round(each)} ms per second of video in the models; ` +
    `${seconds(duration)} analyzed in ${seconds(timing.totalMs / 1000)}.`;
}

/** What should be known about valid results: above all, that untrained models answer without knowing anything. */
function showNotes(results, warnings) {
  const untrained = results.filter((result) => result.untrained).map((result) => result.adapter);
  $('notice').hidden = untrained.length === 0;
  const title = element(
    'strong',
    {},
    untrained.length === 1 ? 'This model is untrained.' : 'These models are untrained.',
  );
  $('notice').replaceChildren(
    title,
    ` The weights of ${untrained.join(', ')} are noise: the page shows how the SDK works and how fast, but events and masks mean nothing.`,
  );
  $('scopes').hidden = results.length === 0;
  $('scopes').replaceChildren(...results.map((result) => element('li', {}, ...aboutAdapter(result))));
  const others = [...mettle.info().warnings, ...warnings].filter(({ code }) => code !== 'untrained');
  $('warnings').hidden = others.length === 0;
  $('warnings').replaceChildren(...others.map(({ message }) => element('li', {}, message)));
}

/** What it knows, what it does not, and how much it kept silent about. */
function aboutAdapter({ adapter, scope, withheld }) {
  const [sense, other] = scope?.senses ?? ['audio', 'visual'];
  const senses = other ? 'sound and picture' : `${sense === 'audio' ? 'sound' : 'picture'} alone`;
  const about = scope ? `Knows: ${scope.world} Does not know: ${scope.unknown}` : 'Nobody said what it knows.';
  const silent = withheld > 0 ? ` Silent about ${withheld} s, which are unlike all that it learned from.` : '';
  return [element('strong', {}, adapter), `, by ${senses}. ${about}${silent}`];
}

async function showFailure(error, signal) {
  document.body.dataset.state = 'done';
  const cancelled = signal.aborted;
  $('readout').replaceChildren();
  $('error').hidden = false;
  $('error').classList.toggle('error', !cancelled);
  $('error').querySelector('strong').textContent = cancelled ? 'Cancelled.' : error.message;
  $('error').querySelector('span').textContent = cancelled ? '' : (error.hint ?? '');
  // Neither a lost GPU nor a dead worker comes back: the next clip gets new ones.
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
  if (file) analyzeFile(file);
});
$('cancel').addEventListener('click', () => job?.abort());
for (const type of ['dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault();
    $('drop').classList.toggle('over', type === 'dragover');
    const file = type === 'drop' && event.dataTransfer.files[0];
    if (file) analyzeFile(file);
  });
}
addEventListener('pagehide', ({ persisted }) => persisted || mettle?.dispose());
