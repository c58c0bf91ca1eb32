/**
 * A running source for benchmarks: in Node a made-up camera (640 x 480, 25 a second, stereo at 48 kHz), in a page (WASM, Chromium) its made-up camera and microphone; three
 * adapters each, and how late moments come, how many are left out, whether memory stays flat and times drift. Needs a build.
 */
import process from 'node:process';
import type { LiveFrame, LiveSound, Mettle } from '../../sdk/index.ts';
import { builtSdk, residentOf } from './measure.ts';
import { withPage } from './renderer.ts';

export const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4'];

/** Of one moment: milliseconds of latency, moments left out, and how far media time lies behind the clock, in milliseconds. */
export type Sample = { latency: number; dropped: number; behind: number };
export type Measured = { samples: Sample[]; megabytes: number[] };

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));

async function* sound(began: number, seconds: number): AsyncGenerator<LiveSound> {
  const step = 0.02;
  for (let time = 0; time < seconds; time += step) {
    await pause(began + (time + step) * 1000 - performance.now());
    const samples = Float32Array.from({ length: 960 }, (_, i) => 0.3 * Math.sin((time * 48_000 + i) / 20));
    yield { time, channels: [samples, samples], sampleRate: 48_000 };
  }
}

async function* frames(began: number, seconds: number): AsyncGenerator<LiveFrame> {
  for (let index = 0; index < seconds * 25; index++) {
    await pause(began + index * 40 - performance.now());
    const data = new Uint8Array(640 * 480 * 3).fill(index % 256);
    yield { time: index / 25, frame: { width: 640, height: 480, data } };
  }
}

/** In this process, two moments a second. */
export async function liveInNode(seconds: number): Promise<Measured> {
  const { createMettle } = await builtSdk();
  await using mettle: Mettle = await createMettle({ adapters });
  const began = performance.now();
  const measured: Measured = { samples: [], megabytes: [] };
  for await (const moment of mettle.watch(
    { sound: sound(began, seconds), frames: frames(began, seconds) },
    { hop: 0.5 },
  )) {
    if (moment.last) break;
    const { latency, dropped, heard } = moment;
    measured.samples.push({ latency, dropped, behind: performance.now() - began - heard * 1000 - latency });
    if (heard >= ((measured.megabytes.length + 1) * seconds) / 10)
      measured.megabytes.push(await residentOf(process.pid));
  }
  return measured;
}

/** In Chromium, one moment a second. */
export const liveInPage = (seconds: number): Promise<Measured> =>
  withPage(async (page, { resident }) => {
    const megabytes: number[] = [];
    const timer = setInterval(() => void resident().then((now) => megabytes.push(now)), seconds * 100);
    const samples = await page.evaluate(
      async ({ names, until }) => {
        const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
        // A checkout is not laid out as node_modules is.
        const runtimePath = '/node_modules/onnxruntime-web/dist/';
        const mettle: Mettle = await createMettle({ adapters: names, device: 'wasm', runtimePath });
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
        const began = performance.now();
        const found: Sample[] = [];
        for await (const { latency, dropped, heard, last } of mettle.watch(stream, { hop: 1 })) {
          if (last || heard > until) break;
          found.push({ latency, dropped, behind: performance.now() - began - heard * 1000 - latency });
        }
        await mettle.dispose();
        return found;
      },
      { names: adapters, until: seconds },
    );
    clearInterval(timer);
    return { samples, megabytes };
  });

export const quantile = (numbers: readonly number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))]!;
const rounded = (number: number): number => Math.round(number * 10) / 10;

/** What is kept of it. */
export function summary({ samples, megabytes }: Measured) {
  const latencies = samples.map(({ latency }) => latency);
  const third = Math.floor(samples.length / 3);
  const behind = (part: readonly Sample[]): number =>
    quantile(
      part.map((sample) => sample.behind),
      0.5,
    );
  return {
    moments: samples.length,
    dropped: samples.reduce((sum, { dropped }) => sum + dropped, 0),
    latencyMedian: rounded(quantile(latencies, 0.5)),
    latency95: rounded(quantile(latencies, 0.95)),
    /** Milliseconds by which the last third lies further behind the clock than the first. */
    drift: rounded(behind(samples.slice(-third)) - behind(samples.slice(0, third))),
    megabytes: megabytes.map(rounded),
  };
}
