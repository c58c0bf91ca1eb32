/** Sounds that need no microphone: those of the toybox, and stacks of gliding tones, bursts and noise. */
import { diceOf } from '../../toybox/dice.ts';
import { composeClip, soundtrackOf, TOYBOX_LAYOUTS, toyboxClasses } from '../../toybox/index.ts';
import { bandPass } from '../../toybox/synth.ts';
import { trainIndex } from './made-pictures.ts';
import type { Sound, SoundSource } from './sounds.ts';

/** So many soundtracks of toybox clips of the training split, with what is heard in them, each made when it is first drawn, then kept. */
export function toyboxSounds(seed: number, count: number, rate: number): SoundSource {
  const made = new Map<number, Sound>();
  return {
    draw(dice) {
      const number = dice.whole(0, count - 1);
      const found = made.get(number) ?? soundtrack(seed, number, rate);
      made.set(number, found);
      return found;
    },
  };
}

function soundtrack(seed: number, number: number, rate: number): Sound {
  const layout = diceOf(`${seed} soundtrack ${number}`).pick(TOYBOX_LAYOUTS);
  const clip = composeClip(seed, layout, trainIndex(number));
  return {
    wave: soundtrackOf(clip, rate),
    heard(start, end) {
      const shares = new Float32Array(toyboxClasses.length);
      for (const actor of clip.actors) {
        const place = toyboxClasses.indexOf(actor.label);
        actor.heard.forEach((on, second) => {
          const overlap = Math.min(end, (second + 1) * rate) - Math.max(start, second * rate);
          if (on && overlap > 0) shares[place] = Math.min(1, shares[place]! + overlap / (end - start));
        });
      }
      return shares;
    },
  };
}

/** One second at a time, never the same, and nothing that has a class. */
export const tonesAndNoise = (rate: number): SoundSource => ({
  draw(dice) {
    const wave = new Float32Array(rate);
    for (let voices = dice.whole(1, 3); voices > 0; voices--) {
      const from = dice.between(-0.3, 0.7);
      const length = dice.between(0.05, 1.3);
      const swell = dice.between(0.005, 0.3);
      const beats = dice.chance(0.4) ? dice.between(2, 25) : 0;
      const level = dice.between(0.1, 0.5);
      const source = dice.chance(0.6) ? tone(dice, rate) : noise(dice, rate);
      for (let i = Math.max(0, Math.floor(from * rate)); i < Math.min(rate, (from + length) * rate); i++) {
        const at = i / rate - from;
        const envelope = Math.min(1, at / swell) * Math.exp((-3 * at) / length);
        const beat = beats > 0 ? Math.max(0, Math.sin(2 * Math.PI * beats * at)) : 1;
        wave[i] = wave[i]! + level * envelope * beat * source();
      }
    }
    return { wave, heard: () => new Float32Array(toyboxClasses.length) };
  },
});

type Dice = Parameters<SoundSource['draw']>[0];

/** Overtones over a note that glides and trembles. */
function tone(dice: Dice, rate: number): () => number {
  const pitch = 60 * 60 ** dice.next();
  const glide = dice.chance(0.5) ? Math.exp(dice.between(-1.5, 1.5)) ** (1 / rate) : 1;
  const [tremble, depth] = [dice.between(3, 12), dice.chance(0.3) ? 0.05 : 0];
  const fall = dice.between(0.4, 1.8);
  const inharmonic = dice.chance(0.3) ? dice.between(0, 0.02) : 0;
  const partials = Array.from({ length: dice.whole(1, 12) }, (_, i) => ({
    ratio: (i + 1) * Math.sqrt(1 + inharmonic * (i + 1) ** 2),
    level: (i + 1) ** -fall,
    phase: dice.next() * 2 * Math.PI,
  }));
  let frequency = pitch;
  let time = 0;
  return () => {
    frequency *= glide;
    time += 1 / rate;
    const now = frequency * (1 + depth * Math.sin(2 * Math.PI * tremble * time));
    let sum = 0;
    for (const partial of partials) {
      if (now * partial.ratio > rate * 0.45) break;
      partial.phase += (2 * Math.PI * now * partial.ratio) / rate;
      sum += partial.level * Math.sin(partial.phase);
    }
    return sum;
  };
}

function noise(dice: Dice, rate: number): () => number {
  const filter = bandPass(rate, 100 * 80 ** dice.next(), dice.between(0.3, 12));
  return () => 3 * filter(dice.next() * 2 - 1);
}
