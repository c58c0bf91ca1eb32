/** The report's script, as text. It writes text nodes and custom properties, never HTML, and asks for nothing. Without it the report still reads. */

export const SCRIPT = `'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (selector) => document.querySelector(selector);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const chart = $('.chart');
const slider = $('#second');

function show(second) {
  if (!chart) return;
  const at = Math.max(0, Math.min(data.length - 1, second));
  slider.value = at;
  slider.setAttribute('aria-valuetext', data[at].when);
  chart.style.setProperty('--now', at);
  $('#when').textContent = data[at].when;
  const thumbs = document.querySelectorAll('.strip .thumb');
  if (thumbs[at]) {
    const copy = thumbs[at].cloneNode(true);
    copy.className = 'picture';
    $('.frame').replaceChildren(copy);
  }
  $('.readout').replaceChildren(...data[at].groups.map((group) => {
    const box = make('div', 'set');
    box.append(make('h3', '', group.title));
    for (const [label, color, probability] of group.rows) {
      const line = make('div', 'line');
      const meter = make('span', 'meter');
      meter.style.setProperty('--p', probability);
      if (color) meter.style.setProperty('--color', color);
      line.append(make('span', 'name', label), meter, make('span', 'value', Math.round(probability * 100) + '%'));
      box.append(line);
    }
    return box;
  }));
}

const tip = $('#tip');
function showTip(target) {
  const holder = target instanceof Element ? target.closest('[data-tip]') : null;
  tip.hidden = !holder;
  if (!holder) return;
  tip.textContent = holder.dataset.tip;
  const box = holder.getBoundingClientRect();
  const middle = box.left + box.width / 2 - tip.offsetWidth / 2;
  tip.style.left = Math.max(8, Math.min(innerWidth - tip.offsetWidth - 8, middle)) + 'px';
  tip.style.top = (box.top > 48 ? box.top - tip.offsetHeight - 6 : box.bottom + 6) + 'px';
}

if (chart) {
  slider.addEventListener('input', () => show(Number(slider.value)));
  chart.addEventListener('click', (event) => {
    const holder = event.target.closest('[data-second]');
    const track = event.target.closest('.track');
    if (holder) return show(Number(holder.dataset.second));
    if (!track) return;
    const box = track.getBoundingClientRect();
    show(Math.floor(((event.clientX - box.left) / box.width) * data.length));
  });
  chart.addEventListener('pointerover', (event) => showTip(event.target));
  chart.addEventListener('pointerleave', () => showTip(null));
  chart.addEventListener('focusin', (event) => showTip(event.target));
  chart.addEventListener('focusout', () => showTip(null));
  addEventListener('scroll', () => showTip(null), { passive: true, capture: true });
  addEventListener('keydown', (event) => { if (event.key === 'Escape') showTip(null); });
  $('#masks')?.addEventListener('change', (event) => document.body.classList.toggle('unmasked', !event.target.checked));
  $('#opacity')?.addEventListener('input', (event) => document.body.style.setProperty('--mask', event.target.value / 100));
  document.body.classList.add('live');
  const first = document.querySelector('.bar');
  show(first ? Number(first.dataset.second) : 0);
}
`;
