/**
 * Sounds and pictures that are surely none of the events: tones, noise, the toybox, fractals and heaps of shapes. A head that learned from its maker's examples alone takes
 * everything for one of them (on everyday sounds, with them it kept silent about two thirds more of what it had not been taught; ours).
 */
import type { SegmentFormat } from '../../contract/clip.ts';
import type { EngineSegment } from '../../engine/types.ts';
import { makeAxis, resizePlane } from '../../front-end/resize.ts';
import { diceOf } from '../../toybox/dice.ts';
import { fractals, shapeHeaps, toyboxPictures } from '../pretrain/made-pictures.ts';
import { tonesAndNoise, toyboxSounds } from '../pretrain/made-sounds.ts';
import type { Drawing } from '../pretrain/pictures.ts';

/** How many there are. */
export const madeSeconds = 60;

/** The soundtracks that toybox sounds are cut from are made whole, which takes longer than a second of them is worth. */
const soundtracks = 6;

/** One second after another, the same for every lesson. */
export async function* madeUp({ frame, sampleRate }: SegmentFormat): AsyncGenerator<EngineSegment> {
  const sounds = [tonesAndNoise(sampleRate), toyboxSounds(1, soundtracks, sampleRate)];
  const pictures = [fractals(1, madeSeconds), shapeHeaps(1, madeSeconds), toyboxPictures(1, madeSeconds)];
  for (let index = 0; index < madeSeconds; index++) {
    const dice = diceOf(`taught nothing ${index}`);
    const { wave } = await sounds[index % sounds.length]!.draw(dice);
    const start = dice.whole(0, Math.floor(wave.length / sampleRate) - 1) * sampleRate;
    const picture = await pictures[index % pictures.length]!.draw(dice);
    yield { frame: resized(picture, frame), pcm: Float32Array.from(wave.subarray(start, start + sampleRate)) };
  }
}

function resized({ width, height, data }: Drawing, to: SegmentFormat['frame']): NonNullable<EngineSegment['frame']> {
  const [across, down] = [makeAxis(width, to.width), makeAxis(height, to.height)];
  const pixels = new Uint8Array(3 * to.width * to.height);
  for (let channel = 0; channel < 3; channel++) {
    const plane = resizePlane(
      { data: Uint8Array.from(data), offset: channel, stride: 3 * width, step: 3, height },
      across,
      down,
    );
    plane.forEach((value, at) => {
      pixels[3 * at + channel] = Math.max(0, Math.min(255, Math.round(value)));
    });
  }
  return { ...to, data: pixels };
}
