/** Films of any length out of ffmpeg's own test sources: a moving chart and a tone that changes its pitch every second. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

export const noFfmpeg = 'ffmpeg is not installed (Debian: apt-get install ffmpeg).';
export const hasFfmpeg = (): boolean => spawnSync('ffmpeg', ['-version']).status === 0;

export type FilmSize = { seconds: number; width: number; height: number; frameRate: number };

/** H.264 and AAC where `path` ends in `.mp4`, VP9 and Opus in `.webm`. After a minute the film begins again, which costs no encoding. */
export function makeTestFilm(path: string, { seconds, width, height, frameRate }: FilmSize): void {
  const end = path.slice(path.lastIndexOf('.'));
  const own = Math.min(seconds, 60);
  const begin = seconds > own ? `${path}.minute${end}` : path;
  const codecs =
    end === '.mp4'
      ? ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-c:a', 'aac']
      : ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p', '-c:a', 'libopus'];
  ffmpeg([
    ...['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${frameRate}:duration=${own}`],
    ...['-f', 'lavfi', '-i', `aevalsrc=0.3*sin(2*PI*t*(300+60*mod(floor(t)\\,12))):s=48000:d=${own}`],
    ...['-g', String(2 * frameRate), ...codecs, begin],
  ]);
  if (begin === path) return;
  ffmpeg([
    '-stream_loop',
    String(Math.ceil(seconds / own) - 1),
    '-i',
    begin,
    '-t',
    String(seconds),
    '-c',
    'copy',
    path,
  ]);
  rmSync(begin);
}

function ffmpeg(args: readonly string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}:\n${stderr}`);
}

/**
 * Milliseconds of processor time in which ffmpeg, with one thread, makes of a film what the models are given: a picture a second of the given size, and mono sound
 * at the given rate.
 */
export function ffmpegComputed(path: string, size: { width: number; height: number }, sampleRate: number): number {
  const { stderr } = spawnSync(
    'ffmpeg',
    [
      ...['-benchmark', '-threads', '1', '-filter_threads', '1', '-i', path],
      ...['-map', '0:v', '-vf', `fps=1,scale=${size.width}:${size.height}`, '-pix_fmt', 'rgb24'],
      ...['-f', 'rawvideo', '-y', '/dev/null', '-map', '0:a', '-ac', '1', '-ar', String(sampleRate)],
      ...['-f', 'f32le', '-y', '/dev/null'],
    ],
    { encoding: 'utf8' },
  );
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  if (user === undefined) throw new Error(`ffmpeg ${path}:\n${stderr}`);
  return (Number(user) + Number(system)) * 1000;
}
