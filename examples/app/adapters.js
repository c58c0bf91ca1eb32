/** The adapter picker: which of the shipped models answer, what each can answer for, and what it kept silent about. */
import { element } from '../plain-page/elements.js';
import { familiarityWords, knownWords, scopeWords, TASKS } from './words.js';

/** In a checkout models lie here; on a site of yours, in the folder that `mettle assets` wrote. */
const models = '../../adapters/';
/** Adapters of one backbone answer together; at first those of this one, which know the real world. */
const backbone = 'nano-2';
const list = document.getElementById('adapters');

/** Shows all that ship, of each backbone together. */
export async function showAdapters() {
  const registry = await read('registry.json');
  const adapters = Object.values(registry).filter(({ kind }) => kind === 'adapter');
  const manifests = await Promise.all(adapters.map(({ manifest }) => read(manifest)));
  const isFirst = ({ base }) => base.id === backbone;
  const inOrder = [...manifests.filter(isFirst), ...manifests.filter((manifest) => !isFirst(manifest))];
  list.replaceChildren(...inOrder.map((manifest) => row(manifest, isFirst(manifest))));
}

/** What was chosen before a sample chose for itself. */
let own = null;

/** Those that know the world of a sample; null: those that were chosen before, if samples chose since. */
export function chooseFor(adapters) {
  const boxes = [...list.querySelectorAll('input')];
  if (adapters) own ??= boxes.filter(({ checked }) => checked);
  else if (!own) return;
  for (const box of boxes) box.checked = adapters ? adapters.includes(box.value) : own.includes(box);
  if (!adapters) own = null;
}

/** Those of another backbone do not answer together with this one. */
function chosen({ target }) {
  own = null;
  if (!target.checked) return;
  const { base } = target.closest('li').dataset;
  for (const item of list.children) if (item.dataset.base !== base) item.querySelector('input').checked = false;
}

/** What was taught here, which no folder holds, by its id. */
const taughtHere = new Map();

/** Puts a taught adapter first, in the place of the one before, and chooses it alone. */
export function chooseTaught(taught) {
  const { id } = taught.manifest;
  taughtHere.set(id, taught);
  for (const item of [...list.children]) if (item.dataset.adapter === id) item.remove();
  for (const box of list.querySelectorAll('input')) box.checked = false;
  own = null;
  list.prepend(row(taught.manifest, true));
}

/** The taught adapter is gone with its examples. */
export function dropTaught() {
  for (const item of [...list.children]) if (taughtHere.has(item.dataset.adapter)) item.remove();
  taughtHere.clear();
  if (list.querySelector('input:checked')) return;
  for (const item of list.children) item.querySelector('input').checked = item.dataset.base === backbone;
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

function row(manifest, checked) {
  const { id, task, untrained, base } = manifest;
  const box = element('input', { type: 'checkbox', value: id, checked, id: `adapter-${id}` });
  box.addEventListener('change', chosen);
  const about = element('p', { id: `about-${id}`, className: 'soft' }, scopeWords(manifest));
  if (untrained) about.append(' Untrained: its answers mean nothing.');
  box.setAttribute('aria-describedby', about.id);
  const name = element('label', { htmlFor: box.id }, id, element('span', { className: 'task' }, TASKS[task]));
  const told = element('p', { className: 'told' });
  const item = element('li', {}, box, element('div', {}, name, about, told, more(manifest)));
  item.dataset.adapter = id;
  item.dataset.base = base.id;
  return item;
}

function more(manifest) {
  const words = knownWords(manifest);
  return words && element('details', {}, element('summary', {}, 'More'), element('p', { className: 'soft' }, words));
}
