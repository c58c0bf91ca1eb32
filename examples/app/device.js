/** The panel that tells where models run, and how long they take. */
import { element } from '../plain-page/elements.js';
import { deviceWords, milliseconds, seconds } from './words.js';

const $ = (id) => document.getElementById(id);

/** `timed` is an analysis, or null where none was made. */
export function showDevice(info, timed) {
  const { runtime, variant, backbone, loadMs, warmupMs, why } = info;
  const facts = {
    Device: deviceWords(info),
    Runtime: runtime,
    Models: `${backbone.id} ${backbone.version}, variant ${variant}`,
    'Ready after': seconds(Math.round((loadMs + warmupMs) / 100) / 10),
    ...(timed && timingFacts(timed)),
  };
  $('device').hidden = false;
  $('device-facts').replaceChildren(...factsOf(facts));
  $('why').textContent = why.join(' ');
}

function timingFacts({ duration, segments, timing }) {
  return {
    Film: seconds(duration),
    'Analyzed in': seconds(Math.round(timing.totalMs / 100) / 10),
    'Models, per second of film': milliseconds(timing.modelMs / segments),
    'Decoding, per second of film': milliseconds(timing.decodeMs / segments),
  };
}

export const factsOf = (facts) =>
  Object.entries(facts).map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));

/** What there is to know about valid results. */
export function showWarnings(warnings) {
  const messages = [...new Set(warnings.map(({ message }) => message))];
  $('warnings').hidden = messages.length === 0;
  $('warnings').replaceChildren(...messages.map((message) => element('li', {}, message)));
}
