/** A small made-up task that needs both senses: a reddish or bluish patch is seen, a low or high tone is heard; the class is the pair. */
import { concatenate } from '../../sdk/arrays.ts';
import { createLogMel } from '../../sdk/front-end/log-mel.ts';
import { pictureToTensor } from '../../sdk/front-end/picture.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';
import type { BatchSource } from '../../sdk/train/loop/batches.ts';
import type { Batch } from '../../sdk/train/loop/runner.ts';
import type { Networks } from './training-ways.ts';

/** Two looks times two sounds. */
export const pairClasses = 4;

/** `count` clips; those of another seed share none of their noise, places and pitches. */
export function pairClips(count: number, segments: number, networks: Networks, seed: string): BatchSource {
  const clips = Array.from({ length: count }, (_, i) => makeClip(segments, networks, `${seed} ${i}`));
  return { size: count, id: (i) => `${seed} ${i}`, read: (i) => clips[i]! };
}

function makeClip(segments: number, { visual, audio }: Networks, seed: string): Batch {
  const random = seededRandom(seed);
  const logMel = createLogMel(audio.frontEnd);
  const pictures: Float32Array[] = [];
  const sounds: Float32Array[] = [];
  const labels = new Float32Array(segments * (pairClasses + 1));
  for (let second = 0; second < segments; second++) {
    const [look, sound] = [random() < 0.5 ? 0 : 1, random() < 0.5 ? 0 : 1];
    const present = random() < 0.75;
    const { width, height } = visual.frontEnd;
    const data = drawPatch(look, present, width, height, random);
    pictures.push(pictureToTensor({ width, height, data }, visual.frontEnd));
    sounds.push(logMel(tone(sound, audio.frontEnd.sampleRate, random)));
    labels[second * (pairClasses + 1) + (present ? 2 * look + sound : pairClasses)] = 1;
  }
  return {
    picture: concatenate(pictures),
    logMel: concatenate(sounds),
    mask: new Float32Array(segments).fill(1),
    labels,
  };
}

function drawPatch(look: number, present: boolean, width: number, height: number, random: () => number): Uint8Array {
  const [x0, y0] = [(0.25 + 0.5 * random()) * width, (0.25 + 0.5 * random()) * height];
  const size = (0.15 + 0.1 * random()) * width;
  const base = 60 + 60 * random();
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [Math.abs(x - x0), Math.abs(y - y0)];
      const inside = present && Math.max(dx, dy) < size;
      for (let c = 0; c < 3; c++) {
        const own = inside && c === 2 * look ? 220 : base;
        data[(y * width + x) * 3 + c] = Math.min(255, own + 20 * random());
      }
    }
  }
  return data;
}

function tone(sound: number, sampleRate: number, random: () => number): Float32Array {
  const hertz = (sound === 0 ? 300 : 2400) * (1 + 0.3 * random());
  return Float32Array.from(
    { length: sampleRate },
    (_, i) => 0.2 * Math.sin((2 * Math.PI * hertz * i) / sampleRate) + 0.02 * gaussian(random),
  );
}
