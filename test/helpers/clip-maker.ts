/**
 * Makes small real films for tests: a bell that swings and rings, then a ball that bounces and clicks, before a textured wall with some grain, of any length,
 * with or without each stream. What models are trained on is the toybox.
 */
import { writeFile } from 'node:fs/promises';
import {
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  Mp4OutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';
import { prepareDecoders } from '../../sdk/node/decoder.ts';
import { drawScene, type Scene, sceneAt, soundOfScene } from './clip-scene.ts';

/** Hz. */
const sampleRate = 48_000;

export type FilmOptions = {
  /** Chooses texture, grain and pitch. Default 1. */
  seed?: number;
  /** Length in seconds; the scene repeats after ten. Default 10. */
  seconds?: number;
  /** Pixels; even numbers. Default 320 x 240. */
  width?: number;
  height?: number;
  /** Frames per second. Default 25. */
  frameRate?: number;
  /** Leave one of the streams out. */
  video?: boolean;
  audio?: boolean;
};

/** What can be seen and heard in a film of at least ten seconds, in seconds from its start. */
export const filmEvents = [
  { label: 'bell', start: 2, end: 5 },
  { label: 'ball', start: 6, end: 9 },
] as const;

/** Writes a film: H.264 and AAC where `path` ends in `.mp4`, else VP9 and Opus in WebM. */
export async function makeFilm(path: string, options: FilmOptions = {}): Promise<void> {
  await writeFile(path, await encodeFilm(path.endsWith('.mp4') ? 'mp4' : 'webm', options));
}

/** The bytes that {@link makeFilm} writes. The same options give the same picture and sound. */
export async function encodeFilm(
  container: 'mp4' | 'webm',
  options: FilmOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { seed = 1, seconds = 10, width = 320, height = 240, frameRate = 25 } = options;
  const { video = true, audio = true } = options;
  await prepareDecoders();
  const target = new BufferTarget();
  const mp4 = container === 'mp4';
  const output = new Output({
    format: mp4 ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat(),
    target,
  });
  const pictures = new VideoSampleSource({
    codec: mp4 ? 'avc' : 'vp9',
    quality: new Quality('high'),
    keyFrameInterval: 2,
    hardwareAcceleration: 'prefer-software',
    latencyMode: 'realtime',
  });
  const sound = new AudioSampleSource({ codec: mp4 ? 'aac' : 'opus', quality: new Quality('high') });
  if (video) output.addVideoTrack(pictures, { frameRate });
  if (audio) output.addAudioTrack(sound);
  await output.start();
  const scene: Scene = { seed, width, height, frameRate };
  const wave = audio ? soundOfScene(seed, seconds, sampleRate) : null;
  for (let second = 0; second < seconds; second++) {
    const end = Math.min(seconds, second + 1);
    if (video) await addPictures(pictures, scene, second, end);
    if (wave) await addSound(sound, wave, second, end);
  }
  await output.finalize();
  return new Uint8Array(target.buffer!);
}

async function addPictures(source: VideoSampleSource, scene: Scene, start: number, end: number): Promise<void> {
  const { width, height, frameRate } = scene;
  for (let index = Math.ceil(start * frameRate); index < end * frameRate - 1e-9; index++) {
    const data = drawScene(scene, sceneAt(index / frameRate), index);
    const timestamp = index / frameRate;
    const sample = new VideoSample(data, {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp,
      duration: 1 / frameRate,
      colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
    });
    await source.add(sample);
    sample.close();
  }
}

async function addSound(source: AudioSampleSource, wave: Float32Array, start: number, end: number): Promise<void> {
  const data = wave.slice(Math.round(start * sampleRate), Math.round(end * sampleRate));
  const sample = new AudioSample({ data, format: 'f32', numberOfChannels: 1, sampleRate, timestamp: start });
  await source.add(sample);
  sample.close();
}
