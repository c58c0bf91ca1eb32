/** What results mean, in words: senses, scopes, silence, devices, times. */
import { percent } from '../plain-page/elements.js';

export const SENSES = { audio: 'Heard', visual: 'Seen', 'audio-visual': 'Heard and seen' };
export const TASKS = { localize: 'Events', parse: 'Heard and seen, apart', segment: 'Where it sounds' };

/** The sense that events of an answer belong to: both where both decide, else the only one that does. */
export const senseOf = ({ scope }) => (scope?.senses.length === 1 ? scope.senses[0] : 'audio-visual');

/** What an adapter answers for. Packages of before there were scopes say nothing of it. */
export function scopeWords({ scope, classes }) {
  const names = listed(classes.map((name) => name.toLowerCase()));
  const known = names ? `Knows ${names}.` : 'Marks the pixels that make the sound.';
  if (!scope) return known;
  const [sense, other] = scope.senses;
  const senses = other ? 'By sound and picture' : sense === 'audio' ? 'By sound alone' : 'By picture alone';
  return `${senses}. ${scope.world} ${known}`;
}

function listed(names) {
  const most = 6;
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
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
