/** What goes on at one time: each label once, by what all adapters say of it together. */
import { classColor } from '../../dist/page/index.js';
import { element } from '../plain-page/elements.js';
import { SENSES, senseOf } from './words.js';

/** Events of results in one form: with a sense, and with whether who said it tells the senses apart. */
export const eventsOf = (results) =>
  results.flatMap((result) => {
    const { task, adapter } = result;
    if (task === 'segment') return [];
    const apart = task === 'parse';
    return result.events.map((event) => ({ ...event, adapter, apart, modality: event.modality ?? senseOf(result) }));
  });

/** Chips of events that go on at once; `hasPicture` says whether there is a screen to be off. */
export function chips(events, hasPicture) {
  const labels = [...new Set(events.map(({ label }) => label))];
  if (labels.length === 0) return [element('li', { className: 'soft' }, 'Nothing that it knows')];
  return labels.map((label) => {
    const same = events.filter((event) => event.label === label);
    const dot = element('i', { className: 'dot', ariaHidden: 'true' });
    dot.style.setProperty('--color', classColor(same[0].classIndex));
    return element('li', {}, dot, element('strong', {}, label), element('span', {}, placeWords(same, hasPicture)));
  });
}

/** "Heard, off-screen" where an adapter that could see it does not. */
export function placeWords(same, hasPicture) {
  const has = (modality) => same.find((event) => event.modality === modality);
  if (has('audio-visual')) return SENSES['audio-visual'];
  const heard = has('audio');
  if (!heard) return SENSES.visual;
  return heard.apart && hasPicture ? `${SENSES.audio}, off-screen` : SENSES.audio;
}
