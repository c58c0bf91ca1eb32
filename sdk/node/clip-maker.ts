/**
 * Makes a small real film, so that demonstrations and tests need no file from elsewhere: a bell that swings and rings, then a ball that bounces and clicks, before a
 * textured wall with some grain. The scene is drawn and the sound is synthesised here; the codecs are those of {@link prepareDecoders}.
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
import { MettleError } from '../errors.ts';
import { drawScene, type Scene, sceneAt, soundOfScene } from './clip-scene.ts';
import { prepareDecoders } from './decoder.ts';

export type DemoClipOptions = {
  /** Chooses texture, grain and pitch. Default 1. */
  seed?: number;
  /** Length in seconds; the scene repeats after ten. Default 10. */
  seconds?: number;
  /** Pixels; even numbers. Default 320 x 240. */
  width?: number;
  height?: number;
  /** Frames per second. Default 25. */
  frameRate?: number;
  /** Hz of the sound, 48000 or 44100 (MP4 only). Default 48000. */
  sampleRate?: number;
  /** Leave one of the streams out. */
  video?: boolean;
  audio?: boolean;
};

/** What can be seen and heard in a demo clip, in seconds from its start. */
export type DemoEvent = { label: 'bell' | 'ball'; start: number; end: number };

/** The events of every demo clip of at least ten seconds. */
export const demoEvents: readonly DemoEvent[] = [
  { label: 'bell', start: 2, end: 5 },
  { label: 'ball', start: 6, end: 9 },
];

/**
 * Writes a demo clip: H.264 and AAC where `path` ends in `.mp4`, VP9 and Opus where it ends in `.webm`. The same options give the same picture and sound.
 * Throws `invalid-argument`, `missing-package` or `write`.
 */
export async function makeDemoClip(path: string, options: DemoClipOptions = {}): Promise<void> {
  const bytes = await encodeDemoClip(path.endsWith('.webm') ? 'webm' : path.endsWith('.mp4') ? 'mp4' : path, options);
  try {
    await writeFile(path, bytes);
  } catch (cause) {
    throw new MettleError('write', `The clip could not be written to ${path}.`, {
      hint: 'Check that the folder exists and may be written to.',
      cause,
    });
  }
}

/** The bytes that {@link makeDemoClip} writes. */
export async function encodeDemoClip(
  container: string,
  options: DemoClipOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { seed = 1, seconds = 10, width = 320, height = 240, frameRate = 25, sampleRate = 48_000 } = options;
  const { video = true, audio = true } = options;
  if (container !== 'mp4' && container !== 'webm') {
    throw new MettleError('invalid-argument', `path is "${container}"; expected one that ends in .mp4 or .webm.`, {
      hint: 'Name the clip demo.webm, for example.',
    });
  }
  if (!(seconds > 0 && seconds <= 600) || width % 2 || height % 2 || width < 32 || height < 32) {
    throw new MettleError(
      'invalid-argument',
      `The clip would be ${width} x ${height} and last ${seconds} s; expected even numbers from 32 up and 0 to 600 s.`,
      { hint: 'Leave these options out for 320 x 240 and 10 s.' },
    );
  }
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
    if (wave) await addSound(sound, wave, sampleRate, second, end);
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

async function addSound(
  source: AudioSampleSource,
  wave: Float32Array,
  sampleRate: number,
  start: number,
  end: number,
): Promise<void> {
  const data = wave.slice(Math.round(start * sampleRate), Math.round(end * sampleRate));
  const sample = new AudioSample({ data, format: 'f32', numberOfChannels: 1, sampleRate, timestamp: start });
  await source.add(sample);
  sample.close();
}
