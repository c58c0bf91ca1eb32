/** Films in Node: decoding against ffmpeg doing the same, and decoder and models at once against each alone. */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Segment } from '../../../sdk/contract/clip.ts';
import type { Mettle } from '../../../sdk/index.ts';
import { createResampler } from '../../../sdk/media/resampler.ts';
import { openWorkshop } from '../../../sdk/work/workshop.ts';
import { ffmpegComputed, hasFfmpeg, makeTestFilm, noFfmpeg } from '../films.ts';
import { answer, apart, builtSdk, byTurns, computed, median, ratioOf } from '../measure.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const three = ['toybox-ave', 'toybox-llp', 'toybox-s4'];
/** What nano wants of a second. */
const format = { frame: { width: 128, height: 128 }, sampleRate: 32_000 };

type Film = { name: string; path: string; seconds: number; width: number; height: number; frameRate: number };
type Request = { film: Film; rounds: number };
type Measured = {
  /** Milliseconds of processor time, round by round. */
  decoding: { here: number[]; ffmpeg: number[] };
  /** Milliseconds of wall time, round by round. */
  ways: Record<'decode' | 'models' | 'both', number[]>;
};

async function measure({ film: { path }, rounds }: Request): Promise<Measured> {
  const { createMettle } = await builtSdk();
  const workshop = openWorkshop({});
  const mettle = await createMettle({ adapters: three });
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
  const ways = { decode: () => decode(false), models: () => mettle.analyze(raw), both: () => mettle.analyze(path) };
  await ways.both();
  const walls = await byTurns(ways, rounds);
  const decoding: Measured['decoding'] = { here: [], ffmpeg: [] };
  for (let round = 0; round < rounds; round++) {
    decoding.here.push(await computed(ways.decode));
    decoding.ffmpeg.push(ffmpegComputed(path, format.frame, format.sampleRate));
  }
  workshop.dispose(new Error('over') as never);
  await mettle.dispose();
  return { decoding, ways: walls };
}

function joined(segments: readonly Segment[]): Float32Array {
  const sound = new Float32Array(segments.length * format.sampleRate);
  segments.forEach(({ pcm }, second) => {
    sound.set(pcm!, second * format.sampleRate);
  });
  return sound;
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

await answer(import.meta.url, measure);

function figuresOf({ name, seconds }: Film, { decoding, ways }: Measured): Figure[] {
  const each = (times: readonly number[]): number => median(times) / seconds;
  const larger = ways.decode.map((decode, round) => Math.max(decode, ways.models[round]!));
  return [
    {
      what: `${name}: decoding, processor time`,
      unit: 'ms',
      here: each(decoding.here),
      beside: { name: 'by ffmpeg', value: each(decoding.ffmpeg) },
      ratio: ratioOf(decoding.here, decoding.ffmpeg),
    },
    {
      what: `${name}: decoder and models at once`,
      unit: 'ms',
      here: each(ways.both),
      beside: { name: 'by the slower of them alone', value: each(larger) },
      ratio: ratioOf(ways.both, larger),
      atMost: 1.15,
    },
  ];
}

export const media: Row = {
  id: 'media',
  title: 'Films',
  how:
    'Films that ffmpeg made, in Node; milliseconds a second of film. Decoding is the whole way to what the models read, a picture of 128 x 128 a second and mono sound ' +
    'at 32 kHz; ffmpeg makes the same with one thread (`fps=1,scale`, `-ac 1 -ar 32000`). Models are three adapters.',
  async run({ quick, folder }) {
    if (!hasFfmpeg()) return { figures: [], missing: [noFfmpeg] };
    const sizes = [
      { name: '256 x 192 VP9', end: 'webm', width: 256, height: 192, frameRate: 25 },
      { name: '720 x 480 H.264', end: 'mp4', width: 720, height: 480, frameRate: 30 },
      { name: '1920 x 1080 H.264', end: 'mp4', width: 1920, height: 1080, frameRate: 30 },
    ];
    const figures: Figure[] = [];
    for (const { end, ...size } of sizes) {
      const film = { ...size, seconds: quick ? 5 : 20, path: join(folder, `${size.width}.${end}`) };
      makeTestFilm(film.path, film);
      figures.push(...figuresOf(film, (await apart<Measured>(import.meta.url, { film, rounds: quick ? 2 : 5 })).value));
    }
    const minute = join(folder, 'minute.mp4');
    makeTestFilm(minute, { seconds: quick ? 10 : 60, width: 320, height: 240, frameRate: 25 });
    const { createMettle } = await builtSdk();
    await using mettle = await createMettle({ adapters: three });
    figures.push(
      { what: 'resampling of a second, 48 to 32 kHz', unit: 'ms', here: resampleMs(48_000) },
      { what: 'resampling of a second, 44.1 to 32 kHz', unit: 'ms', here: resampleMs(44_100) },
      { what: "longest hold of the caller's thread", unit: 'ms', here: await longestHold(mettle, minute) },
    );
    return { figures, missing: [] };
  },
};
