/** The page that works offline, in a real browser whose every other host is out of reach: load, run, stop the server, reload, run again. Needs `npm run build`. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { serve } from '../../examples/serve.mjs';
import { axeFaults } from '../helpers/axe.ts';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);

async function analyze(page: Page): Promise<string> {
  await page.getByText(/^Ready: wasm/).waitFor({ timeout: 100_000 });
  await page.setInputFiles('#file', film);
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 });
  return (await page.textContent('#results'))!;
}

test.skipIf(!hasBrowser)(
  `after one visit the page runs every task without its server${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`,
  async () => {
    const server = await serve({ root });
    const browser = await chromium.launch({
      executablePath,
      args: [...chromiumFlags, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}/examples/offline/?device=wasm`);
      const before = await analyze(page);
      for (const task of ['localize', 'parse', 'segment']) expect(before).toContain(`: ${task}, `);
      expect(await axeFaults(page)).toEqual([]);
      await server.close();
      await expect(fetch(server.url)).rejects.toThrow();
      await page.reload();
      expect(await analyze(page)).toBe(before);
    } finally {
      await browser.close();
      await server.close();
    }
  },
  240_000,
);
