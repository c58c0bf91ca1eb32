/** Films to try at once: the first clip of each kind that `npm run app` makes. Where there are none, the page does without. */
import { element } from '../plain-page/elements.js';

const folder = '../../out/clips';
const $ = (id) => document.getElementById(id);

/** `choose` gets the clip that was clicked, with the adapters that know the world it is from. */
export async function showSamples(choose) {
  const response = await fetch(`${folder}/clips.json`).catch(() => null);
  if (!response?.ok) return;
  const kinds = await response.json();
  const adapters = kinds.map(({ adapter }) => adapter);
  const cards = kinds.map(({ clips: [clip], question }) => card({ ...clip, question, adapters }, choose));
  $('sample-list').replaceChildren(...cards.map((one) => element('li', {}, one)));
  $('samples').hidden = kinds.length === 0;
}

function card(clip, choose) {
  const { id, question, seconds } = clip;
  const poster = element('img', { src: `${folder}/${id}.png`, alt: '', width: 256, height: 192 });
  const text = element('span', {}, question, element('small', {}, ` ${seconds} s`));
  const button = element('button', { type: 'button', className: 'sample' }, poster, text);
  button.dataset.clip = id;
  button.addEventListener('click', () => choose(clip));
  return button;
}
