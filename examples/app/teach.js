/** The Teach tab: examples of one's own events, kept in this browser, and a head that learns from them in a minute. */
import { element } from '../plain-page/elements.js';
import { chooseTaught, dropTaught } from './adapters.js';
import { run, showProgress } from './job.js';
import { startWatching } from './live.js';
import { place } from './models.js';
import { record } from './recorder.js';
import { plural, taughtWords } from './teach-words.js';

const $ = (id) => document.getElementById(id);
const fewest = 3;

/** Training is as large as the rest of the SDK, so it comes when the tab is first opened. */
const training = () => import('../../dist/page/train.js');

let lessons = null;
let taught = null;
/** Events that have a name and no example yet. */
const named = new Set();

/** Opens what this browser keeps, and shows it. */
export async function showLessons() {
  try {
    lessons ??= await (await training()).openLessons();
    await refresh();
  } catch (error) {
    run(() => Promise.reject(error));
  }
}

async function refresh() {
  const kept = await lessons.list();
  const labels = new Set([...kept.map(({ label }) => label).filter((label) => label !== null), ...named]);
  const of = (wanted) => kept.filter(({ label }) => label === wanted);
  $('events').replaceChildren(...[...labels, null].map((label) => group(label, of(label))));
  const short = [...labels].filter((label) => of(label).length < fewest);
  const lack = labels.size === 0 ? 'Add an event first.' : shortWords(short, of);
  $('lack').textContent =
    lack ||
    `${plural(kept.length, 'example')} ready. It takes about a minute; you may close the page, and go on later.`;
  $('start-teaching').ariaDisabled = String(lack !== '');
  $('forget').hidden = kept.length === 0 && named.size === 0;
}

const shortWords = (short, of) =>
  short.length === 0
    ? ''
    : `${short.map((label) => `${label} needs ${plural(fewest - of(label).length, 'more example')}`).join(', ')}.`;

function group(label, examples) {
  const called = label ?? 'Nothing';
  const title = element('h3', {}, called, ' ', element('small', {}, plural(examples.length, 'example')));
  const recordButton = element(
    'button',
    { type: 'button' },
    'Record',
    element('span', { className: 'unseen' }, ` ${called}`),
  );
  recordButton.addEventListener('click', () => addRecording(label));
  const input = element('input', { type: 'file', multiple: true, accept: 'audio/*,video/*,image/*' });
  input.addEventListener('change', () => addFiles(label, [...input.files]));
  const pick = element(
    'label',
    { className: 'pick' },
    'Pick files',
    element('span', { className: 'unseen' }, ` for ${called}`),
    input,
  );
  const list = element('ul', { className: 'examples' }, ...examples.map(card));
  const item = element(
    'section',
    { className: 'event', ariaLabel: called },
    title,
    element('div', { className: 'controls' }, recordButton, pick),
    list,
  );
  item.dataset.event = label ?? '';
  return item;
}

function card({ id, name, label }) {
  const remove = element(
    'button',
    { type: 'button' },
    element('span', { ariaHidden: 'true' }, '×'),
    element('span', { className: 'unseen' }, ` Delete ${name} of ${label ?? 'nothing'}`),
  );
  remove.addEventListener('click', async () => {
    await lessons.remove(id);
    const next = remove.closest('li').nextElementSibling ?? remove.closest('li').previousElementSibling;
    const nextId = next?.dataset.example;
    await refresh();
    const focus = nextId && document.querySelector(`[data-example="${nextId}"] button`);
    (focus || $('event-name')).focus();
    $('told').textContent = `${name} deleted.`;
  });
  const item = element('li', {}, element('span', {}, name), remove);
  item.dataset.example = id;
  return item;
}

function addRecording(label) {
  return run(async ({ signal }) => {
    const sense = $('record-sense').value;
    const source = await record(sense, signal);
    const number = (await lessons.list()).filter((example) => example.label === label).length + 1;
    await add(label, [{ source, name: `Recording ${number}` }]);
    buttonOf(label)?.focus();
  });
}

const addFiles = (label, files) =>
  run(() =>
    add(
      label,
      files.map((source) => ({ source, name: source.name })),
    ),
  );

async function add(label, found) {
  for (const example of found) await lessons.add({ label, ...example });
  await refresh();
  $('told').textContent = `${plural(found.length, 'example')} of ${label ?? 'nothing'} added.`;
}

const buttonOf = (label) =>
  [...document.querySelectorAll('.event')]
    .find((item) => item.dataset.event === (label ?? ''))
    ?.querySelector('button');

$('new-event').addEventListener('submit', async (event) => {
  event.preventDefault();
  const label = $('event-name').value.trim();
  if (!label) return;
  named.add(label);
  $('event-name').value = '';
  await refresh();
  buttonOf(label)?.focus();
});

$('start-teaching').addEventListener('click', () => {
  if ($('start-teaching').ariaDisabled === 'true') {
    $('told').textContent = $('lack').textContent;
    return;
  }
  run(async ({ signal, onProgress, isCurrent }) => {
    document.body.dataset.state = 'working';
    showProgress({ phase: 'open' });
    const { teach } = await training();
    const examples = await lessons.examples();
    const found = await teach({
      ...place,
      examples,
      id: 'taught-here',
      progress: lessons.progress,
      signal,
      onProgress,
    });
    if (!isCurrent()) return;
    taught = found;
    chooseTaught(taught);
    $('taught-words').replaceChildren(...taughtWords(taught).map((words) => element('li', {}, words)));
    $('taught').hidden = false;
    document.body.dataset.state = 'taught';
    $('taught-title').focus();
  });
});

$('try-live').addEventListener('click', () => {
  $('live-tab').click();
  startWatching();
});

$('export-taught').addEventListener('click', () => {
  const url = URL.createObjectURL(taught.zip());
  element('a', { href: url, download: `${taught.manifest.id}.zip` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});

/** Asked twice, since it cannot be undone. */
$('forget').addEventListener('click', async () => {
  const button = $('forget');
  if (button.dataset.asked === undefined) {
    button.dataset.asked = '';
    button.textContent = 'Forget all examples?';
    return;
  }
  calmForget();
  await lessons.forget();
  named.clear();
  taught = null;
  dropTaught();
  $('taught').hidden = true;
  await refresh();
  $('told').textContent = 'All examples are forgotten.';
  $('event-name').focus();
});
$('forget').addEventListener('blur', calmForget);

function calmForget() {
  delete $('forget').dataset.asked;
  $('forget').textContent = 'Forget all';
}
