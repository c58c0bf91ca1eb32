/**
 * `npm run bench:work [-- --rounds N]`: what the division of work is worth in Node. A clip through decoder alone, models alone, and both as a caller runs them, in
 * interleaved rounds with their medians; what ffmpeg takes to decode the same, where it is installed; resampling; and the longest time that the caller's thread was
 * held up while a film of a minute is analysed. Prints a table and keeps it in `results/work.json`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Segment } from '../../sdk/contract/clip.ts';
import { createMettle, type Mettle } from '../../sdk/index.ts';
import { createResampler } from '../../sdk/media/resampler.ts';
import { openWorkshop } from '../../sdk/work/workshop.ts';
import { makeFilm } from '../helpers/clip-maker.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string' } } });
const rounds = Number(values.rounds ?? 5);
const three = ['toybox-ave', 'toybox-llp', 'toybox-s4'];
const folder = mkdtempSync(join(tmpdir(), 'mettle-work-'));
/** What nano wants of a second. */
const format = { frame: { width: 256, height: 256 }, sampleRate: 32_000 };

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

async function timed(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

/** Milliseconds a second of clip that decoding, models, and both of them take; medians. */
async function ways(path: string, seconds: number, adapters: readonly string[]) {
  const workshop = openWorkshop({});
  const mettle = await createMettle({ adapters });
  const segments: Segment[] = [];
  const decode = async (keep: boolean): Promise<void> => {
    await using clip = await workshop.openClip(path);
    for await (const segment of clip.segments(format)) if (keep) segments.push(segment);
  };
  await decode(true);
  const raw = {
    frames: segments.map(({ frame }) => frame!),
    frameRate: 1,
    audio: { channels: [joined(segments)], sampleRate: format.sampleRate },
  };
  const jobs = { decode: () => decode(false), models: () => mettle.analyze(raw), both: () => mettle.analyze(path) };
  const times: Record<keyof typeof jobs, number[]> = { decode: [], models: [], both: [] };
  await jobs.both();
  for (let round = 0; round < rounds; round++) {
    for (const name of ['decode', 'models', 'both'] as const) times[name].push((await timed(jobs[name])) / seconds);
  }
  workshop.dispose(new Error('over') as never);
  await mettle.dispose();
  return { decode: median(times.decode), models: median(times.models), both: median(times.both) };
}

function joined(segments: readonly Segment[]): Float32Array {
  const sound = new Float32Array(segments.length * format.sampleRate);
  segments.forEach(({ pcm }, second) => {
    sound.set(pcm!, second * format.sampleRate);
  });
  return sound;
}

/** Milliseconds of CPU a second of clip that ffmpeg takes to decode a file on one thread; null where it is not installed. */
function ffmpegMs(path: string, seconds: number): number | null {
  if (spawnSync('ffmpeg', ['-version']).status !== 0) return null;
  const run = (): number => {
    const { stderr } = spawnSync('ffmpeg', ['-benchmark', '-threads', '1', '-i', path, '-f', 'null', '-'], {
      encoding: 'utf8',
    });
    const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr)!;
    return ((Number(user) + Number(system)) * 1000) / seconds;
  };
  return median([run(), run(), run()]);
}

function resampleMs(from: number): number {
  const second = Float32Array.from({ length: from }, (_, i) => Math.sin(i / 9));
  const times = Array.from({ length: 20 }, () => {
    const start = process.cpuUsage();
    const resampler = createResampler(from, 32_000);
    for (let i = 0; i < 10; i++) resampler.push(second);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 10_000;
  });
  return median(times);
}

/** Milliseconds: the longest that a timer of the caller's thread came late. */
async function longestHold(mettle: Mettle, path: string): Promise<number> {
  await mettle.analyze(path);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await mettle.analyze(path);
  delay.disable();
  return delay.max / 1e6;
}

const small = join(folder, 'small.webm');
const large = join(folder, 'large.mp4');
const minute = join(folder, 'minute.webm');
try {
  await makeFilm(small, { seconds: 10, width: 256, height: 192 });
  await makeFilm(large, { seconds: 20, width: 720, height: 480, frameRate: 30 });
  await makeFilm(minute, { seconds: 60, width: 256, height: 192 });
  const results: Record<string, Record<string, number | null>> = {};
  const row = async (name: string, path: string, seconds: number, adapters: readonly string[]): Promise<void> => {
    const { decode, models, both } = await ways(path, seconds, adapters);
    results[name] = {
      decodeMs: decode,
      modelsMs: models,
      bothMs: both,
      overLarger: both / Math.max(decode, models),
      timesRealTime: 1000 / both,
      ffmpegMs: ffmpegMs(path, seconds),
    };
  };
  await row('256 x 192 VP9, one adapter', small, 10, ['toybox-ave']);
  await row('256 x 192 VP9, three adapters', small, 10, three);
  await row('720 x 480 H.264 30 fps, one adapter', large, 20, ['toybox-ave']);
  await row('720 x 480 H.264 30 fps, three adapters', large, 20, three);
  results.resample = { '48 kHz ms': resampleMs(48_000), '44.1 kHz ms': resampleMs(44_100) };
  await using mettle = await createMettle({ adapters: three });
  results.hold = { longestMs: await longestHold(mettle, minute) };
  const machine = `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`;
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const shown = Object.entries(results).map(([name, cells]) => [
    name,
    Object.fromEntries(Object.entries(cells).map(([key, value]) => [key, value === null ? '-' : value.toFixed(2)])),
  ]);
  console.log(`Node ${process.versions.node}, ${machine}, medians of ${rounds} rounds; ms a second of clip`);
  console.table(Object.fromEntries(shown));
  const kept = new URL('results/', import.meta.url);
  await mkdir(kept, { recursive: true });
  await writeFile(
    new URL('work.json', kept),
    `${JSON.stringify({ commit, machine, node: process.versions.node, rounds, results }, null, 2)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
