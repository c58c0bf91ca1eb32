/** A page of the build in Chromium, isolated so that WASM has threads, and the memory of the processes that run it. */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { serve } from '../../examples/serve.mjs';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

/** Resident megabytes of a process. */
export async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
}

/** `use` gets an empty page at the root of the checkout, and what tells the resident megabytes of its renderer with its workers. */
export async function withPage<T>(use: (page: Page, resident: () => Promise<number>) => Promise<T>): Promise<T> {
  const server = await serve({ root: fileURLToPath(new URL('../..', import.meta.url)), isolated: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
    args: chromiumFlags,
  });
  try {
    const page = await browser.newPage();
    // What tsx writes around functions that have a name, which the page does not know.
    await page.addInitScript('globalThis.__name = (own) => own;');
    await page.route(`${server.url}/empty`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
        body: '<!doctype html>',
      }),
    );
    await page.goto(`${server.url}/empty`);
    const session = await browser.newBrowserCDPSession();
    return await use(page, async () => {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      const renderers = processInfo.filter(({ type }) => type === 'renderer');
      const resident = await Promise.all(renderers.map(({ id }) => residentOf(id)));
      return resident.reduce((sum, one) => sum + one, 0);
    });
  } finally {
    await browser.close();
    await server.close();
  }
}
