/** How late moments of a running source come, how many are left out, and whether times drift and memory grows: in Node, and in a page on WASM. */
import { liveInNode, liveInPage, type Measured, quantile, type Sample } from '../live-parts.ts';
import { answer, apart, median } from '../measure.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

await answer(import.meta.url, ({ seconds }: { seconds: number }) => liveInNode(seconds));

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
    const page = await liveInPage(seconds);
    return { figures: [...figuresOf('Node', node), ...figuresOf('page', page)], missing: [] };
  },
};
