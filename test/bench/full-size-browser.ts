/**
 * `npm run check:full-size:browser [-- --device wasm|webgpu]`: Swin-V2-L in Chromium, on WASM with int8 products (about 200 MB), or on WebGPU with weights in blocks
 * of 8 bits (220 MB): fetched with progress, loaded, run, all taps read. Fails if a tap holds anything but finite numbers. Peak memory is the renderer's, where
 * the system tells it (Linux). A real GPU may need flags of its own (CHROME_FLAGS).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';
import { chromiumFlags } from '../helpers/chromium-flags.ts';
import { deviceOf } from './devices.ts';
import { median } from './measure.ts';
import { writeSeeded } from './seeded-graphs.ts';

/** Peak memory of the largest process below this one, in MB; null where it is not told. */
function peakBelow(): number | null {
  const status = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/status`, 'utf8');
    } catch {
      return '';
    }
  };
  const field = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  try {
    const all = new Map(readdirSync('/proc').map((pid) => [Number(pid), status(pid)]));
    const isBelow = (pid: number): boolean => {
      const parent = field(all.get(pid) ?? '', 'PPid');
      return parent === process.pid || (parent > 1 && isBelow(parent));
    };
    const peaks = [...all.keys()].filter((pid) => pid > 0 && isBelow(pid)).map((pid) => field(all.get(pid)!, 'VmHWM'));
    return Math.max(...peaks.filter(Number.isFinite)) / 1024;
  } catch {
    return null;
  }
}

const forms = { wasm: 'int8', webgpu: 'block8' } as const;
const { device: named = 'wasm' } = parseArgs({ options: { device: { type: 'string' } } }).values;
const device = deviceOf(named, ['wasm', 'webgpu']);

const folder = mkdtempSync(`${tmpdir()}/mettle-full-`);
const server = await createServer({
  configFile: false,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  logLevel: 'error',
  optimizeDeps: { exclude: ['onnxruntime-web'], noDiscovery: true },
  server: {
    host: '127.0.0.1',
    port: 0,
    fs: { allow: ['.', folder] },
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
});
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: chromiumFlags,
});
try {
  const [graph] = await writeSeeded('swin-v2-large-192', [forms[device]], folder);
  await server.listen();
  const page = await browser.newPage();
  page.on('console', (message) => console.log(message.text()));
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(`${server.resolvedUrls!.local[0]}test/bench/full-size.html`);
  await page.waitForFunction(() => 'runFullSize' in window);
  const run = await page.evaluate(([files, on]) => window.runFullSize(files, on, 5), [graph!, device] as const);
  console.log(
    `Chromium ${browser.version()}, ${run.device}, ${run.threads} thread(s), ${(graph!.bytes / 1e6).toFixed(0)} MB of files`,
  );
  console.log(`fetched in ${run.fetchSeconds.toFixed(1)} s, loaded in ${run.loadSeconds.toFixed(1)} s`);
  const [first, ...later] = run.seconds;
  console.log(`${first!.toFixed(2)} s for the first second of media`);
  console.log(`${median(later).toFixed(3)} s for a second of media (median of ${later.length})`);
  console.log(`peak memory of the renderer: ${peakBelow()?.toFixed(0) ?? '?'} MB; taps finite: ${run.finite}`);
  if (!run.finite) process.exitCode = 1;
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
