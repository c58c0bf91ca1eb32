/** The sound of a clip: each actor's own in the room, faded at the ends of its seconds, at its distance, over the background's noise. */
import { spansOf } from './compose.ts';
import { diceOf } from './dice.ts';
import { toyObjects } from './objects/index.ts';
import { inRoom } from './room.ts';
import { gate, lowPass, peakOf, rmsOver, type Wave } from './synth.ts';
import type { Actor, ToyClip } from './types.ts';

/** RMS of an actor at gain 1 while it is heard. */
const nominal = 0.07;
/** What short strokes may reach at gain 1; they then stay below `nominal`. */
const mostPeak = 0.7;
const loudest = 0.95;

/** Mono in [-1, 1]: `clip.seconds * rate` samples at `rate` Hz. */
export function soundtrackOf(clip: ToyClip, rate: number): Wave {
  const mix = noiseOf(clip, rate);
  for (const [index, actor] of clip.actors.entries()) {
    if (!actor.heard.includes(true)) continue;
    const voice = actorSound(clip, actor, index, rate);
    for (let i = 0; i < mix.length; i++) mix[i] = mix[i]! + voice[i]!;
  }
  const peak = peakOf(mix);
  return peak > loudest ? mix.map((value) => (value * loudest) / peak) : mix;
}

function actorSound(clip: ToyClip, actor: Actor, index: number, rate: number): Wave {
  const spans = spansOf(actor.heard);
  const dry: Wave = new Float32Array(clip.seconds * rate);
  toyObjects.get(actor.label)!.sound({
    wave: dry,
    rate,
    pitch: actor.voice.pitch,
    spans,
    strokes: actor.strokes.filter((stroke) => actor.heard[Math.floor(stroke)]),
    look: actor.look,
    random: diceOf(`${clip.seed}/voice ${index}`).next,
  });
  gate(dry, rate, spans);
  if (actor.voice.muffled) {
    const wall = lowPass(rate, 3500);
    for (let i = 0; i < dry.length; i++) dry[i] = wall(dry[i]!);
  }
  const wet = inRoom(dry, rate, clip.room);
  gate(wet, rate, spans);
  const level = rmsOver(wet, rate, spans);
  if (level === 0) return wet;
  const gain = actor.voice.gain * Math.min(nominal / level, mostPeak / peakOf(wet));
  return wet.map((value) => value * gain);
}

/** White to brown. */
function noiseOf({ seed, seconds, noise }: ToyClip, rate: number): Wave {
  const { next } = diceOf(`${seed}/noise`);
  const dark = lowPass(rate, 400);
  const wave: Wave = new Float32Array(seconds * rate);
  for (let i = 0; i < wave.length; i++) {
    const white = next() * 2 - 1;
    wave[i] = (1 - noise.tilt) * white + 4 * noise.tilt * dark(white);
  }
  const gain = noise.level / rmsOver(wave, rate, [[0, seconds]]);
  return wave.map((value) => value * gain);
}
