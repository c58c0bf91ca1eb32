/** A room: seeded early reflections, and a tail of four combs and two all-passes (M. R. Schroeder, "Natural sounding artificial reverberation", 1962). */
import { diceOf } from './dice.ts';
import type { Wave } from './synth.ts';
import type { Room } from './types.ts';

/** The sound in the room; the direct sound keeps its level. */
export function inRoom(dry: Wave, rate: number, { seed, reverberation, wet }: Room): Wave {
  const dice = diceOf(`${seed}/room`);
  const early = Array.from({ length: 6 }, () => ({
    delay: Math.round(dice.between(0.004, 0.035) * rate),
    gain: (dice.chance(0.5) ? 1 : -1) * dice.between(0.1, 0.3),
  }));
  const combs = [0.0297, 0.0371, 0.0411, 0.0437].map((delay) => {
    const seconds = delay * dice.between(0.75, 1.2);
    return { line: new Float32Array(Math.round(seconds * rate)), keep: 10 ** ((-3 * seconds) / reverberation), at: 0 };
  });
  const passes = [0.005, 0.0017].map((delay) => ({ line: new Float32Array(Math.round(delay * rate)), at: 0 }));
  const out = new Float32Array(dry.length);
  for (let i = 0; i < dry.length; i++) {
    let tail = 0;
    for (const comb of combs) {
      const old = comb.line[comb.at]!;
      comb.line[comb.at] = dry[i]! + old * comb.keep;
      if (++comb.at === comb.line.length) comb.at = 0;
      tail += 0.25 * old;
    }
    for (const pass of passes) {
      const old = pass.line[pass.at]!;
      const input = tail + 0.7 * old;
      pass.line[pass.at] = input;
      if (++pass.at === pass.line.length) pass.at = 0;
      tail = old - 0.7 * input;
    }
    let reflected = tail;
    for (const { delay, gain } of early) if (i >= delay) reflected += gain * dry[i - delay]!;
    out[i] = dry[i]! + wet * reflected;
  }
  return out;
}
