/** The adapter picker: which of the shipped models answer, what each can answer for, and what it kept silent about. */
import { element } from '../plain-page/elements.js';
import { familiarityWords, knownWords, scopeWords, TASKS } from './words.js';

/** In a checkout models lie here; on a site of yours, in the folder that `mettle assets` wrote. */
const models = '../../adapters/';
const backbone = 'nano';
const list = document.getElementById('adapters');

/** Shows what ships for the backbone, all of it chosen. */
export async function showAdapters() {
  const registry = await read('registry.json');
  const adapters = Object.values(registry).filter(({ kind }) => kind === 'adapter');
  const manifests = await Promise.all(adapters.map(({ manifest }) => read(manifest)));
  list.replaceChildren(...manifests.filter(({ base }) => base.id === backbone).map(row));
}

/** What was taught here, which no folder holds, by its id. */
const taughtHere = new Map();

/** Puts a taught adapter first, in the place of the one before, and chooses it alone. */
export function chooseTaught(taught) {
  const { id } = taught.manifest;
  taughtHere.set(id, taught);
  for (const item of [...list.children]) if (item.dataset.adapter === id) item.remove();
  for (const box of list.querySelectorAll('input')) box.checked = false;
  list.prepend(row(taught.manifest));
}

/** The taught adapter is gone with its examples. */
export function dropTaught() {
  for (const item of [...list.children]) if (taughtHere.has(item.dataset.adapter)) item.remove();
  taughtHere.clear();
  if (!list.querySelector('input:checked')) for (const box of list.querySelectorAll('input')) box.checked = true;
}

/** Those that are chosen, in order: ids, or the taught adapter itself. Throws where none is. */
export function chosenAdapters() {
  const chosen = [...list.querySelectorAll('input:checked')].map(({ value }) => taughtHere.get(value) ?? value);
  if (chosen.length > 0) return chosen;
  throw Object.assign(new Error('No adapter is chosen, so nobody answers.'), {
    hint: 'Choose one under "Who answers".',
  });
}

/** Says of each that answered what it kept silent about, and how familiar the film was. */
export function tellFamiliarity(results) {
  for (const row of list.children) {
    const result = results.find(({ adapter }) => adapter === row.dataset.adapter);
    row.querySelector('.told').textContent = result ? familiarityWords(result) : '';
  }
}

async function read(path) {
  const response = await fetch(models + path);
  if (!response.ok) throw new Error(`${path} of the models is not there (${response.status}).`);
  return await response.json();
}

function row(manifest) {
  const { id, task, untrained } = manifest;
  const box = element('input', { type: 'checkbox', value: id, checked: true, id: `adapter-${id}` });
  const about = element('p', { id: `about-${id}`, className: 'soft' }, scopeWords(manifest));
  if (untrained) about.append(' Untrained: its answers mean nothing.');
  box.setAttribute('aria-describedby', about.id);
  const name = element('label', { htmlFor: box.id }, id, element('span', { className: 'task' }, TASKS[task]));
  const told = element('p', { className: 'told' });
  const item = element('li', {}, box, element('div', {}, name, about, told, more(manifest)));
  item.dataset.adapter = id;
  return item;
}

function more(manifest) {
  const words = knownWords(manifest);
  return words && element('details', {}, element('summary', {}, 'More'), element('p', { className: 'soft' }, words));
}
