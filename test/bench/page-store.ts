/**
 * Which store of a browser keeps models: the Cache API against the origin private file system (OPFS), in Chromium, for pieces as the hub keeps them. Writes, then reads
 * 64 MB in pieces of 4 MiB, rounds taken in turn. Run: `npx tsx test/bench/page-store.ts`.
 */
import { chromium } from 'playwright-core';
import { serve } from '../../examples/serve.mjs';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

const root = new URL('../fixtures', import.meta.url).pathname;
const { url, close } = await serve({ root });
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: chromiumFlags,
});
try {
  const page = await browser.newPage();
  await page.goto(`${url}/clips.json`);
  // What runs this file names functions with a helper that the page lacks.
  await page.evaluate('globalThis.__name = (call) => call');
  const times = await page.evaluate(measure);
  const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
  console.log(`Chromium ${browser.version()}, 16 pieces of 4 MiB, ms, median of ${times[0]!.write.length} rounds`);
  console.log('| store | write | read |\n| --- | --- | --- |');
  for (const { name, write, read } of times)
    console.log(`| ${name} | ${median(write).toFixed(0)} | ${median(read).toFixed(0)} |`);
} finally {
  await browser.close();
  await close();
}

/** Runs in the page. */
async function measure(): Promise<{ name: string; write: number[]; read: number[] }[]> {
  const pieces = Array.from({ length: 16 }, (_, index) => {
    const bytes = new Uint8Array(4 << 20);
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    return { name: `piece-${index}`, bytes };
  });
  const cache = await caches.open('bench');
  const folder = await navigator.storage.getDirectory();
  const stores = [
    {
      name: 'Cache API',
      put: (name: string, bytes: Uint8Array<ArrayBuffer>) =>
        cache.put(`https://bench.invalid/${name}`, new Response(bytes)),
      get: async (name: string) => (await cache.match(`https://bench.invalid/${name}`))!.arrayBuffer(),
      clear: () => caches.delete('bench'),
    },
    {
      name: 'OPFS',
      put: async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
        const file = await (await folder.getFileHandle(name, { create: true })).createWritable();
        await file.write(bytes);
        await file.close();
      },
      get: async (name: string) => (await (await folder.getFileHandle(name)).getFile()).arrayBuffer(),
      clear: async () => {
        for (const { name } of pieces) await folder.removeEntry(name);
      },
    },
  ];
  const times = stores.map(({ name }) => ({ name, write: [] as number[], read: [] as number[] }));
  for (let round = 0; round < 7; round++) {
    for (const [index, { put, get }] of stores.entries()) {
      const start = performance.now();
      for (const { name, bytes } of pieces) await put(name, bytes);
      const written = performance.now();
      for (const { name } of pieces) await get(name);
      times[index]!.write.push(written - start);
      times[index]!.read.push(performance.now() - written);
    }
  }
  for (const { clear } of stores) await clear();
  return times;
}
