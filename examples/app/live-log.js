/** What began, changed and ended, a line each, the newest first. Whichever adapters say it, a label is one thing here. */
import { clock, element } from '../plain-page/elements.js';
import { placeWords } from './active.js';

const log = document.getElementById('log');
/** Older lines go. */
const mostLines = 12;

/** Starts an empty log; gives a function that takes what goes on and what ended in each moment. */
export function startLog() {
  log.replaceChildren();
  const known = new Map();
  return ({ going, ended, start, hasPicture }) => {
    const lines = [];
    for (const label of new Set(going.map((event) => event.label))) {
      const same = going.filter((event) => event.label === label);
      const words = placeWords(same, hasPicture).toLowerCase();
      const since = known.get(label)?.since ?? Math.min(...same.map((event) => event.start));
      if (!known.has(label)) lines.push(line(since, `${label} began: ${words}`));
      else if (known.get(label).words !== words) lines.push(line(start, `${label}: now ${words}`));
      known.set(label, { words, since });
    }
    for (const [label, { since }] of known) {
      if (going.some((event) => event.label === label)) continue;
      known.delete(label);
      const end = Math.max(...ended.filter((event) => event.label === label).map((event) => event.end));
      lines.push(line(end, `${label} ended after ${(end - since).toFixed(1)} s`));
    }
    log.prepend(...lines.reverse());
    while (log.children.length > mostLines) log.lastChild.remove();
  };
}

const line = (time, text) => element('li', {}, element('time', {}, clock(time)), ' ', text);
