/** What results mean, in words: senses, scopes, silence, devices, times. */
import { percent } from '../plain-page/elements.js';

export const SENSES = { audio: 'Heard', visual: 'Seen', 'audio-visual': 'Heard and seen' };
export const TASKS = { localize: 'Events', parse: 'Heard and seen, apart', segment: 'Where it sounds' };

/** The sense that events of an answer belong to: both where both decide, else the only one that does. */
export const senseOf = ({ scope }) => (scope?.senses.length === 1 ? scope.senses[0] : 'audio-visual');

/** In a line, what an adapter answers for: the senses that decide, and its world. */
export function scopeWords({ scope, task }) {
  if (!scope) return task === 'segment' ? 'Marks the pixels that make the sound.' : 'Nobody said what it knows.';
  const [sense, other] = scope.senses;
  const senses = other ? 'By sound and picture' : sense === 'audio' ? 'By sound alone' : 'By picture alone';
  return `${senses}. ${scope.world}`;
}

/** The rest of it: what it can name, and what it takes for something else or for nothing. */
export function knownWords({ scope, classes }) {
  const names = classes.length > 0 ? [`Names ${classes.map((name) => name.toLowerCase()).join(', ')}.`] : [];
  return [...names, ...(scope ? [`Does not know: ${scope.unknown}`] : [])].join(' ');
}

/** How much of a clip was unlike all that the adapter learned from, and how sure it can be of the rest; empty where it does not measure that. */
export function familiarityWords(result) {
  if (result.withheld > 0) {
    return `Silent for ${seconds(result.withheld)}, which ${result.withheld === 1 ? 'is' : 'are'} unlike all it learned from.`;
  }
  const known = familiarities(result);
  if (known.length === 0) return '';
  const mean = known.reduce((sum, share) => sum + share, 0) / known.length;
  return `On average more familiar than ${percent(mean)} of what it was tested on.`;
}

/** Said of a lane without events. */
export const nothingWords = ({ withheld }) =>
  withheld > 0 ? `no answer for ${seconds(withheld)}, unlike what it learned from` : 'nothing';

/** Of each second, the less familiar sense; seconds that nobody can tell of are left out. */
function familiarities(result) {
  return (result.seconds ?? result.masks)
    .map(({ familiarity }) => familiarity)
    .flatMap((told) => {
      const shares = typeof told === 'object' && told ? Object.values(told) : [told];
      const measured = shares.filter((share) => typeof share === 'number');
      return measured.length > 0 ? [Math.min(...measured)] : [];
    });
}

export const seconds = (value) => `${Number.isInteger(value) ? value : value.toFixed(1)} s`;

export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

export function deviceWords({ device, threads, gpu }) {
  if (device !== 'webgpu') return `WASM, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
  const name = gpu && (gpu.description || gpu.architecture || gpu.vendor);
  return name ? `WebGPU, ${name}` : 'WebGPU';
}
