/** Random numbers that are the same everywhere for the same seed. Not for secrets. */

/** Numbers in [0, 1), by the seed's text: sfc32 started from FNV-1a hashes. */
export function seededRandom(seed: string | number): () => number {
  const text = String(seed);
  const hash = (offset: number): number => {
    let h = 0x811c9dc5 ^ offset;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return h >>> 0;
  };
  let [a, b, c, d] = [hash(0), hash(1), hash(2), 1] as [number, number, number, number];
  const next = (): number => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** A sample of the standard normal distribution (Box and Muller). */
export const gaussian = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
