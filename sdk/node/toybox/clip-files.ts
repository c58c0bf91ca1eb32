/** The files of one clip: film or frames and sound, and the masks. */
import { createResampler } from '../../media/resampler.ts';
import {
  centreOf,
  composeClip,
  createRenderer,
  filmSeconds,
  soundingMask,
  soundtrackOf,
  type ToyboxLayout,
  type ToyClip,
} from '../../toybox/index.ts';
import type { Wave } from '../../toybox/synth.ts';
import { pathsOf } from '../../toybox/tables.ts';
import { encodePng } from '../output/png.ts';
import { encodeWav } from '../output/wav.ts';
import { encodeFilm } from './film.ts';

export type ClipFile = { path: string; bytes: Uint8Array };

/** Pixels of a film; frames and masks are 224 x 224, as in AVSBench. */
const filmSize = { width: 256, height: 192 };
const frameSide = 224;
/** Hz of films, and of wav files. */
const filmRate = 48_000;
const wavRate = 16_000;

/** All files of a clip, with paths relative to the layout's folder. The same arguments give the same bytes. Throws `missing-package` without codecs. */
export async function makeClipFiles(seed: number, layout: ToyboxLayout, index: number): Promise<ClipFile[]> {
  const clip = composeClip(seed, layout, index);
  const sound = soundtrackOf(clip, filmRate);
  const files = stills(clip);
  const { film, sound: wav } = pathsOf(clip);
  if (film !== null) {
    const renderer = createRenderer(clip, filmSize.width, filmSize.height);
    const { begin } = clip;
    const seconds = filmSeconds(clip);
    const shown = { draw: (time: number) => renderer.draw(begin + time) };
    const first = Math.round(begin * filmRate);
    const heard = sound.slice(first, first + seconds * filmRate);
    files.push({ path: film, bytes: await encodeFilm({ ...clip, seconds }, shown, heard) });
  }
  if (wav !== null) files.push({ path: wav, bytes: encodeWav(resample(sound), wavRate) });
  return files;
}

function stills(clip: ToyClip): ClipFile[] {
  const { frames, masks } = pathsOf(clip);
  const renderer = createRenderer(clip, frameSide, frameSide);
  const files: ClipFile[] = [];
  if (!frames && masks.length === 0) return files;
  const [width, height] = [frameSide, frameSide];
  for (let second = 0; second < clip.seconds; second++) {
    const canvas = renderer.draw(centreOf(second));
    if (frames) files.push({ path: frames[second]!, bytes: encodePng({ width, height, data: canvas.rgb }) });
    const mask = masks[second];
    if (mask) files.push({ path: mask, bytes: encodePng({ width, height, data: soundingMask(clip, canvas, second) }) });
  }
  return files;
}

function resample(sound: Wave): Float32Array {
  const resampler = createResampler(filmRate, wavRate);
  const [body, rest] = [resampler.push(sound), resampler.finish()];
  const out = new Float32Array(body.length + rest.length);
  out.set(body);
  out.set(rest, body.length);
  return out;
}
