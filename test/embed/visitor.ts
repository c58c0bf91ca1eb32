/** A real Chromium that uses the guide's pages: it hands in a clip and reads the events. */
import { type Browser, chromium } from 'playwright-core';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

/** Host whose name stands for the other origin; the browser finds it at a port of this machine. */
const otherHost = 'cdn.example';

/** Where the other origin's server listens; 9 is the port that discards. */
export async function openBrowser(otherPort = 9): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
    args: [
      // On WASM: what is tried here is how files are found, and a GPU in software is slow.
      ...chromiumFlags.filter((flag) => flag !== '--enable-unsafe-webgpu'),
      `--host-resolver-rules=MAP ${otherHost}:80 localhost:${otherPort}, MAP * ~NOTFOUND, EXCLUDE localhost`,
    ],
  });
}

/** The lines of events that the page shows for `clip`. Rejects with what the page complains about where none appear. */
export async function eventsOnPage(browser: Browser, url: string, clip: string): Promise<string[]> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A browser asks for this icon by itself.
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) complaints.push(message.text());
  });
  try {
    await page.goto(url);
    await page.locator('input:enabled').setInputFiles(clip, { timeout: 60_000 });
    await page.locator('pre:not(:empty)').waitFor({ timeout: 60_000 });
    const text = (await page.locator('pre').textContent()) ?? '';
    if (complaints.length > 0) throw new Error('There are events, but the page complains.');
    return text.split('\n');
  } catch (error) {
    throw new Error([(error as Error).message, ...complaints].join('\n'));
  } finally {
    await page.close();
  }
}
