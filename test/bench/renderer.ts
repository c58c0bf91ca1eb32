/** A page in Chromium, isolated so that WASM has threads, the memory of the processes that run it, and the bytes that came to it. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { serve } from '../../examples/serve.mjs';
import { chromiumFlags } from '../helpers/chromium-flags.ts';
import { peakOf, residentOf } from './measure.ts';

/** What can be known of a page from outside. Megabytes are of its renderer with its workers. */
export type Renderer = {
  /** Megabytes that it holds now. */
  resident(): Promise<number>;
  /** Most megabytes that it ever held. */
  peak(): Promise<number>;
  /** Bytes that the server has sent so far, without headers. */
  sent(): number;
  /** Of the browser. */
  version: string;
};

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** `use` gets an empty page at the root of the checkout, or of another folder. */
export async function withPage<T>(
  use: (page: Page, renderer: Renderer) => Promise<T>,
  root = fileURLToPath(new URL('../..', import.meta.url)),
): Promise<T> {
  const server = await serve({ root, isolated: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
    args: chromiumFlags,
  });
  try {
    const page = await browser.newPage();
    let sent = 0;
    page.on('response', (response) => {
      sent += Number(response.headers()['content-length'] ?? 0);
    });
    // What tsx writes around functions that have a name, which the page does not know.
    await page.addInitScript('globalThis.__name = (own) => own;');
    const empty = { contentType: 'text/html', headers: isolation, body: '<!doctype html>' };
    await page.route(`${server.url}/empty`, (route) => route.fulfill(empty));
    await page.goto(`${server.url}/empty`);
    const session = await browser.newBrowserCDPSession();
    const renderers = async (): Promise<number[]> => {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    };
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
    return await use(page, {
      resident: async () => sum(await Promise.all((await renderers()).map(residentOf))),
      peak: async () => sum((await renderers()).map(peakOf)),
      sent: () => sent,
      version: browser.version(),
    });
  } finally {
    await browser.close();
    await server.close();
  }
}
