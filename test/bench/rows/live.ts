/** How late moments of a running source come, how many are left out, and whether times drift and memory grows: in Node, and in a page on WASM. */
import type { LiveFrame, LiveSound, Mettle } from '../../../sdk/index.ts';
import { answer, apart, builtSdk, median, residentOf } from '../measure.ts';
import { withPage } from '../renderer.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4'];

/** Of one moment: milliseconds of latency, moments left out, and how far media time lies behind the clock, in milliseconds. */
type Sample = { latency: number; dropped: number; behind: number };
type Measured = { samples: Sample[]; megabytes: number[] };

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

async function inNode({ seconds }: { seconds: number }): Promise<Measured> {
  const { createMettle } = await builtSdk();
  await using mettle: Mettle = await createMettle({ adapters });
  const began = performance.now();
  const measured: Measured = { samples: [], megabytes: [] };
  const sources = { sound: sound(began, seconds), frames: frames(began, seconds) };
  for await (const moment of mettle.watch(sources, { hop: 0.5 })) {
    if (moment.last) break;
    const { latency, dropped, heard } = moment;
    measured.samples.push({ latency, dropped, behind: performance.now() - began - heard * 1000 - latency });
    if (heard >= ((measured.megabytes.length + 1) * seconds) / 10)
      measured.megabytes.push(await residentOf(process.pid));
  }
  return measured;
}

await answer(import.meta.url, inNode);

const inPage = (seconds: number): Promise<Measured> =>
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

const quantile = (numbers: readonly number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))]!;

function figuresOf(where: string, { samples, megabytes }: Measured): Figure[] {
  const latencies = samples.map(({ latency }) => latency);
  const third = Math.floor(samples.length / 3);
  const behind = (part: readonly Sample[]): number => median(part.map((sample) => sample.behind));
  const thirdOf = (part: number): number =>
    median(megabytes.slice(Math.floor((part * megabytes.length) / 3), Math.ceil(((part + 1) * megabytes.length) / 3)));
  const [early, late] = [thirdOf(1), thirdOf(2)];
  return [
    { what: `${where}: latency of a moment, median of ${samples.length}`, unit: 'ms', here: median(latencies) },
    { what: `${where}: latency, 95 % are below`, unit: 'ms', here: quantile(latencies, 0.95) },
    { what: `${where}: moments left out`, unit: 'x', here: samples.reduce((sum, { dropped }) => sum + dropped, 0) },
    {
      what: `${where}: the last third lies further behind the clock by`,
      unit: 'ms',
      here: behind(samples.slice(-third)) - behind(samples.slice(0, third)),
    },
    {
      what: `${where}: memory in the last third`,
      unit: 'MB',
      here: late,
      beside: { name: 'in the third before', value: early },
      ratio: late / early,
      atMost: 1.1,
    },
  ];
}

export const live: Row = {
  id: 'live',
  title: 'Live',
  how:
    'In Node a made-up camera (640 x 480, 25 frames a second, stereo at 48 kHz) with two moments a second, in Chromium on WASM its made-up camera and microphone with one; ' +
    'three adapters. Latency is from the end of what a moment heard to its answer.',
  async run({ quick }) {
    const seconds = quick ? 12 : 60;
    const node = (await apart<Measured>(import.meta.url, { seconds })).value;
    const page = await inPage(seconds);
    return { figures: [...figuresOf('Node', node), ...figuresOf('page', page)], missing: [] };
  },
};
