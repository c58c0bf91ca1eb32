/** Where an adapter looked and listened: a switch, a heat map over the picture, and one over the spectrogram at the foot of the timeline. */
import { drawPictureAttention, drawSoundAttention } from '../../dist/page/explain.js';
import { element } from '../plain-page/elements.js';

/** A switch for the result that is told first. `onChange` gets whether it is on. */
export function lookedBox({ adapter }, onChange) {
  const box = element('input', { type: 'checkbox', role: 'switch', id: 'looked' });
  box.addEventListener('change', () => onChange(box.checked));
  const dot = element('i', { className: 'dot looked', ariaHidden: 'true' });
  return element('label', {}, box, dot, `Where it looked: ${adapter}`);
}

/** Over what is on the canvas already. */
export function drawLooked(canvas, second) {
  drawPictureAttention(canvas.getContext('2d'), second);
}

/** A group of the timeline; null where nothing was heard. */
export function listenedRow(adapter, explanation) {
  if (!explanation.some(({ sound }) => sound)) return null;
  const told = `Spectrogram of the film, coloured where ${adapter} listened; low tones are below`;
  const canvas = element('canvas', {
    className: 'spectrogram',
    width: 1600,
    height: 128,
    role: 'img',
    ariaLabel: told,
  });
  drawSoundAttention(canvas.getContext('2d'), explanation);
  const lane = element('div', { className: 'lane heard-map' }, canvas);
  const name = element('h3', {}, adapter, element('small', {}, ' Where it listened'));
  const row = element('div', { className: 'row' }, element('span', { className: 'sense' }, 'Sound'), lane);
  return element('section', { className: 'group', id: 'listened' }, name, row);
}
