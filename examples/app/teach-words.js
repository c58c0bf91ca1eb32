/** What teaching came to, in words. */

export const plural = (count, thing) => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** A sentence or two for each sense that decides, and what could not be used. */
export function taughtWords({ leftOut, skipped }) {
  const words = Object.entries(leftOut).flatMap(([sense, told]) => (told ? [sentence(sense, told)] : []));
  return [...words, ...skipped.map(({ name, reason }) => `Left out: ${name}. ${reason}`)];
}

function sentence(sense, { right, silent, examples, quiet, nothing }) {
  const [by, taken] = sense === 'audio' ? ['By sound', 'heard'] : ['By picture', 'seen'];
  const rest = nothing > 0 ? ` It kept silent about ${quiet} of ${nothing} of nothing.` : '';
  return `${by}: of ${plural(examples, 'example')}, each ${taken} as if it were new, ${right} came out right and ${silent} silent.${rest}`;
}
