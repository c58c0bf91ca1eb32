/** Off-screen: when something is heard and not seen at the same time. */

/**
 * Stretches of a heard event in which none of `together`, the events that are heard and seen, says the same. Seconds; in order. An adapter that does not tell the
 * senses apart has nothing to say here.
 */
export function offScreen({ label, start, end }, together) {
  const seen = together.filter((event) => event.label === label && event.end > start && event.start < end);
  const stretches = [];
  let at = start;
  for (const event of seen.sort((a, b) => a.start - b.start)) {
    if (event.start > at) stretches.push({ start: at, end: event.start });
    at = Math.max(at, event.end);
  }
  if (at < end) stretches.push({ start: at, end });
  return stretches;
}
