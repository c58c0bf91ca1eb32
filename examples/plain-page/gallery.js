/**
 * The clips that lie on the server, by what is asked of them. `npm run example` makes them; where there are none the page does without.
 */
import { element } from './elements.js';

const folder = '../../out/clips';
const $ = (id) => document.getElementById(id);

/** Shows the clips, if there are any; `choose` gets the one that was clicked, with `adapter`, that of its kind, and `world`, those of all kinds. */
export async function showGallery(choose) {
  const response = await fetch(`${folder}/clips.json`).catch(() => null);
  if (!response?.ok) return;
  const kinds = await response.json();
  const world = kinds.map(({ adapter }) => adapter);
  $('kinds').replaceChildren(...kinds.map((kind) => group({ ...kind, world }, choose)));
  $('gallery').hidden = kinds.length === 0;
}

/** Marks the clip on screen; null for none. */
export function markClip(clip) {
  for (const button of $('kinds').querySelectorAll('button')) {
    const isShown = button.dataset.clip === clip?.id;
    button.ariaPressed = String(isShown);
    if (isShown) button.scrollIntoView({ block: 'nearest', inline: 'center' });
  }
}

/** The film as a file, and what is true of it. Throws what says why they cannot be had, or `signal.reason`. */
export async function fetchClip({ id }, signal) {
  const [film, truth] = await Promise.all([
    download(`${id}.webm`, signal).then((response) => response.blob()),
    download(`${id}.json`, signal).then((response) => response.json()),
  ]);
  return { file: new File([film], `${id}.webm`, { type: 'video/webm' }), truth };
}

async function download(name, signal) {
  const response = await fetch(`${folder}/${name}`, { signal }).catch((cause) => {
    signal.throwIfAborted();
    throw Object.assign(new Error(`${name} could not be fetched.`, { cause }), {
      hint: 'Is the server still running?',
    });
  });
  if (response.ok) return response;
  throw Object.assign(new Error(`${name} is not there any more (${response.status}).`), {
    hint: 'Start the example again; it makes the clips anew.',
  });
}

function group({ title, question, task, adapter, world, clips }, choose) {
  const cards = clips.map(({ id, seconds }, index) => {
    const clip = { id, task, adapter, world, question, title: `${title}, clip ${index + 1}` };
    const poster = element('img', { src: `${folder}/${id}.png`, alt: '', width: 256, height: 192, loading: 'lazy' });
    const button = element('button', {
      type: 'button',
      ariaLabel: `${clip.title}, ${seconds} s`,
      ariaPressed: 'false',
    });
    button.append(poster, element('span', { className: 'length', ariaHidden: 'true' }, `${seconds} s`));
    button.dataset.clip = id;
    button.addEventListener('click', () => choose(clip));
    return button;
  });
  return element(
    'div',
    { className: 'kind', role: 'group', ariaLabel: title },
    element('h3', {}, title),
    element('p', {}, question),
    element('div', { className: 'cards' }, ...cards),
  );
}
