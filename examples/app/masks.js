/** Masks over a picture: a colour for each adapter that draws one, and a box that takes it away. */
import { drawMask } from '../../dist/page/index.js';
import { element } from '../plain-page/elements.js';

const colors = [
  [255, 61, 127],
  [0, 190, 235],
];
const colorOf = (ordinal) => colors[ordinal % colors.length];
export const cssColorOf = (ordinal) => `rgb(${colorOf(ordinal)})`;

/** `masks` holds one per adapter, or null where there is none to draw; the canvas is emptied first. */
export function drawMasks(canvas, masks) {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  masks.forEach((mask, ordinal) => {
    if (mask) drawMask(context, mask, { color: colorOf(ordinal) });
  });
}

/** The canvas gets the shape of the picture, which fills the width that there is. */
export function fitPicture(picture, canvas, { videoWidth, videoHeight }) {
  picture.style.setProperty('--ratio', videoWidth / videoHeight);
  canvas.width = Math.min(960, Math.max(480, videoWidth));
  canvas.height = Math.round((canvas.width * videoHeight) / videoWidth);
}

/** A box per adapter; the first one's mask is shown. */
export function maskBoxes(adapters, onChange) {
  return adapters.map((adapter, ordinal) => {
    const box = element('input', { type: 'checkbox', checked: ordinal === 0, value: ordinal });
    box.addEventListener('change', onChange);
    const dot = element('i', { className: 'dot', ariaHidden: 'true' });
    dot.style.setProperty('--color', cssColorOf(ordinal));
    return element('label', {}, box, dot, `Where it sounds: ${adapter}`);
  });
}
