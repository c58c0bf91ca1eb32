/** The plain page in a real browser, as a person uses it: no bundler, a static server, a file from the disk. Needs `npm run build` and `npm run build:models`. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../examples/serve.mjs';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
const noFilm = fileURLToPath(new URL('../../package.json', import.meta.url));
const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);
const args = [
  ...chromiumFlags,
  // A request to any other host fails, and shows up as an error.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
];

type Visit = { page: Page; url: string; complaints: string[]; hosts: Set<string> };

describe.skipIf(!hasBrowser)(`the plain page${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let servers: Record<'plain' | 'isolated', Awaited<ReturnType<typeof serve>>>;
  beforeAll(async () => {
    servers = { plain: await serve({ root }), isolated: await serve({ root, isolated: true }) };
    browser = await chromium.launch({ executablePath, args });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await servers?.plain.close();
    await servers?.isolated.close();
  });

  /** Opens the page on WASM and notes what it complains about and whom it asks. */
  async function visit(kind: keyof typeof servers, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    const hosts = new Set<string>();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'blob:' && protocol !== 'data:') hosts.add(origin);
    });
    const { url } = servers[kind];
    await page.goto(`${url}/examples/plain-page/?device=wasm`);
    return { page, url, complaints, hosts };
  }

  async function analyze(page: Page): Promise<void> {
    await page.setInputFiles('#file', film);
    await page.locator('#timeline:visible, #error:visible').waitFor();
    // What the page says went wrong is worth more than what is missing.
    expect(await page.locator('#error:visible').allTextContents()).toEqual([]);
    await page.locator('#progress').waitFor({ state: 'hidden' });
  }

  const untilSecond = (page: Page, text: string) => expect.poll(() => second(page), { timeout: 20_000 }).toBe(text);
  const second = (page: Page) => page.locator('#readout h2').textContent();
  const time = (page: Page) => page.evaluate('document.getElementById("video").currentTime');
  /** Share of the mask's pixels that are not fully transparent. */
  const masked = (page: Page) =>
    page.evaluate(`(() => {
      const canvas = document.getElementById('mask');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
    })()`);

  test.for(['plain', 'isolated'] as const)('shows results, %s, and asks its own server alone', async (kind) => {
    const { page, url, complaints, hosts } = await visit(kind);
    expect(await page.evaluate('crossOriginIsolated')).toBe(kind === 'isolated');
    await analyze(page);
    expect(await page.locator('.bar').count()).toBeGreaterThan(0);
    expect(await page.locator('.lane').count()).toBe(4);
    expect(await page.locator('.cell').count()).toBe(4);
    expect(await page.locator('.set').count()).toBe(4);
    expect(await masked(page)).toBeGreaterThan(0);
    expect(await page.textContent('#notice')).toMatch(/untrained.*mean nothing/);
    const device = await page.textContent('#device');
    expect(device).toMatch(/^WASM, \d+ threads?, onnxruntime-web/);
    if (kind === 'plain') expect(device).toMatch(/1 thread,.*not cross-origin isolated/);
    else expect(device).not.toContain('not cross-origin isolated');
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([url]);
    await page.context().close();
  });

  test('timeline, mask and probabilities follow playback, and seek', async () => {
    const { page, complaints } = await visit('plain');
    await analyze(page);
    expect(await second(page)).toBe('Second 1 of 4');
    const lane = page.locator('.lane .track').first();
    const { width, height } = (await lane.boundingBox())!;
    await lane.click({ position: { x: width * 0.75, y: height / 2 } });
    await untilSecond(page, 'Second 3 of 4');
    expect(await time(page)).toBeCloseTo(0.75 * 3.3, 1);
    await page.locator('.bar').first().press('Enter');
    await untilSecond(page, 'Second 1 of 4');
    await page.locator('.ruler input').press('End');
    await untilSecond(page, 'Second 4 of 4');
    await page.locator('.ruler input').press('Home');
    await untilSecond(page, 'Second 1 of 4');
    await page.evaluate('document.getElementById("video").muted = true; document.getElementById("video").play()');
    await untilSecond(page, 'Second 2 of 4');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a file that is no film is refused with a hint, and the next one works', async () => {
    const { page } = await visit('plain');
    await page.setInputFiles('#file', noFilm);
    await page.locator('#error').waitFor();
    expect(await page.textContent('#error strong')).toMatch(/no audio or video file/);
    expect(await page.textContent('#error span')).toMatch(/Check/);
    await analyze(page);
    expect(await page.locator('#error').isVisible()).toBe(false);
    await page.context().close();
  });

  test('loading can be cancelled, and started again', async () => {
    const { page } = await visit('plain');
    await page.route('**/*.safetensors', () => {});
    await page.setInputFiles('#file', film);
    await page.getByText('Fetching models').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled.').waitFor();
    expect(await page.locator('#progress').isVisible()).toBe(false);
    await page.unrouteAll();
    await analyze(page);
    await page.context().close();
  });

  test('fits a phone', async () => {
    const { page } = await visit('plain', { viewport: { width: 390, height: 844 } });
    await analyze(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.context().close();
  });
});
