/**
 * Sounds to learn from, drawn from few: seconds of them at any place, speed and level, in rooms, through filters, over noise, often two at once. The same seed
 * and number give the same second.
 */
import { type Dice, diceOf } from '../../toybox/dice.ts';
import { inRoom } from '../../toybox/room.ts';
import { bandPass, lowPass, peakOf } from '../../toybox/synth.ts';
import { pickShared, type Shared } from './draw.ts';

/** Mono at the rate that was agreed; `heard` says of a stretch, in samples, which share of it each class sounds. Without it that is not known. */
export type Sound = { wave: Float32Array; heard?: (start: number, end: number) => Float32Array };
/** A supply of sounds: `draw` gives one of them, the same for the same dice. */
export type SoundSource = Shared & { draw(dice: Dice): Sound | Promise<Sound> };

/** One second; `heard` is null where it is not known what all of it is. */
export type SoundSample = { pcm: Float32Array<ArrayBuffer>; heard: Float32Array | null };

/** Sample number `index`: one second at `rate` Hz. */
export async function soundSample(
  sources: readonly SoundSource[],
  rate: number,
  seed: number,
  index: number,
): Promise<SoundSample> {
  const dice = diceOf(`${seed} sound ${index}`);
  const mix = new Float32Array(rate);
  const layers = dice.pick([1, 1, 1, 2, 2, 3]);
  let heard: Float32Array | null = null;
  let known = true;
  for (let layer = 0; layer < layers; layer++) {
    const one = second(await pickShared(sources, dice).draw(dice), rate, dice);
    const gain = layer === 0 ? 1 : 10 ** (dice.between(-18, 3) / 20);
    for (let i = 0; i < rate; i++) mix[i] = mix[i]! + gain * one.pcm[i]!;
    known &&= one.heard !== null;
    heard = heard && one.heard ? heard.map((share, c) => Math.max(share, one.heard![c]!)) : one.heard;
  }
  if (dice.chance(0.35)) addNoise(mix, 10 ** (dice.between(-55, -20) / 20), dice);
  const gain = 10 ** (dice.between(-24, 6) / 20);
  const peak = peakOf(mix) * gain;
  const loudness = peak > 1 ? gain / peak : gain;
  return { pcm: mix.map((value) => value * loudness), heard: known ? heard : null };
}

/** A second of a sound, its peak at 0.7 at most; what is shorter lies somewhere in silence. */
function second({ wave: source, heard }: Sound, rate: number, dice: Dice): SoundSample {
  const speed = dice.chance(0.5) ? 1 : Math.exp(dice.between(-0.4, 0.4));
  const needed = Math.ceil(rate * speed) + 2;
  const spare = source.length - needed;
  const start = spare > 0 ? dice.whole(0, spare) : -dice.whole(0, -spare);
  let out = new Float32Array(rate);
  for (let i = 0; i < rate; i++) {
    const place = start + i * speed;
    const low = Math.floor(place);
    const [a, b] = [source[low] ?? 0, source[low + 1] ?? 0];
    out[i] = a + (b - a) * (place - low);
  }
  if (dice.chance(0.3)) {
    const room = {
      seed: `${dice.whole(0, 2 ** 30)}`,
      reverberation: dice.between(0.1, 1.2),
      wet: dice.between(0.1, 0.8),
    };
    out = inRoom(out, rate, room) as Float32Array<ArrayBuffer>;
  }
  if (dice.chance(0.3)) colour(out, rate, dice);
  const peak = peakOf(out);
  // Near silence is not raised to a roar.
  const gain = 0.7 / Math.max(peak, 0.02);
  return {
    pcm: dice.chance(0.7) ? out.map((value) => value * gain) : out,
    heard: heard?.(start, start + rate * speed) ?? null,
  };
}

/** Dull, thin, or with one band raised. */
function colour(wave: Float32Array, rate: number, dice: Dice): void {
  const frequency = 200 * 40 ** dice.next();
  const kind = dice.pick(['dull', 'thin', 'band'] as const);
  const filter = kind === 'band' ? bandPass(rate, frequency, dice.between(0.5, 3)) : lowPass(rate, frequency);
  const share = dice.between(0.5, 1);
  for (let i = 0; i < wave.length; i++) {
    const value = wave[i]!;
    const filtered = filter(value);
    if (kind === 'dull') wave[i] = value + (filtered - value) * share;
    else if (kind === 'thin') wave[i] = value - filtered * share;
    else wave[i] = value + 2 * share * filtered;
  }
}

/** White to brown. */
function addNoise(wave: Float32Array, level: number, dice: Dice): void {
  const dark = lowPass(32_000, 400);
  const tilt = dice.next();
  for (let i = 0; i < wave.length; i++) {
    const white = dice.next() * 2 - 1;
    wave[i] = wave[i]! + level * ((1 - tilt) * white + 6 * tilt * dark(white));
  }
}
