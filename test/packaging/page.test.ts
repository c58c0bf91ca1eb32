/**
 * The plain page in a real browser, as a person uses it: no bundler, a static server, a clip of the gallery or a file from the disk. Needs `npm run build`.
 * Nothing here depends on what the shipped models have learned.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeClips } from '../../examples/clips.ts';
import { serve } from '../../examples/serve.mjs';
import { DEFAULT_BACKBONE } from '../../sdk/contract/registry.ts';
import { axeFaults } from '../helpers/axe.ts';
import { chromiumFlags } from '../helpers/chromium-flags.ts';
import { notesOf, type PageNotes } from '../helpers/page-notes.ts';

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

/** The adapters that the page loads: those that ship for its backbone. */
async function shippedAdapters(): Promise<{ task: string; untrained: boolean }[]> {
  const read = async (path: string) => JSON.parse(await readFile(join(root, 'adapters', path), 'utf8'));
  const entries = Object.values<{ kind: string; manifest: string }>(await read('registry.json'));
  const adapters = entries.filter(({ kind }) => kind === 'adapter');
  const manifests = await Promise.all(adapters.map(({ manifest }) => read(manifest)));
  return manifests.filter(({ base }) => base.id === DEFAULT_BACKBONE);
}

type Visit = PageNotes & { page: Page; url: string };

describe.skipIf(!hasBrowser)(`the plain page${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let clips: string;
  let servers: Record<'plain' | 'isolated', Awaited<ReturnType<typeof serve>>>;
  beforeAll(async () => {
    servers = { plain: await serve({ root }), isolated: await serve({ root, isolated: true }) };
    browser = await chromium.launch({ executablePath, args });
    clips = await mkdtemp(join(tmpdir(), 'mettle-clips-'));
    await writeClips(clips, 1);
  }, 120_000);
  afterAll(async () => {
    await rm(clips, { recursive: true });
    await browser?.close();
    await servers?.plain.close();
    await servers?.isolated.close();
  });

  /** Opens the page on WASM, with one clip of each kind in the gallery, and notes what it complains about and whom it asks. */
  async function visit(kind: keyof typeof servers, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const { complaints, hosts } = notesOf(context, page);
    const { url } = servers[kind];
    await page.route('**/out/clips/*', (route) =>
      route.fulfill({ path: join(clips, basename(route.request().url())) }),
    );
    await page.goto(`${url}/examples/plain-page/?device=wasm`);
    return { page, url, complaints, hosts };
  }

  const analyze = (page: Page) => shown(page, () => page.setInputFiles('#file', film));
  const pick = (page: Page, id: string) => shown(page, () => page.locator(`[data-clip="${id}"]`).click());

  async function shown(page: Page, act: () => Promise<void>): Promise<void> {
    await act();
    await page.locator('#timeline:visible, #error:visible').waitFor();
    // What the page says went wrong is worth more than what is missing.
    expect(await page.locator('#error:visible').allTextContents()).toEqual([]);
    await page.locator('#progress').waitFor({ state: 'hidden' });
  }

  const untilSecond = (page: Page, text: string) => expect.poll(() => second(page), { timeout: 20_000 }).toBe(text);
  const second = (page: Page) => page.locator('#readout h2').textContent();
  const time = (page: Page) => page.evaluate('document.getElementById("video").currentTime');
  /** Share of the mask's pixels that are not fully transparent. */
  const masked = (page: Page): Promise<number> =>
    page.evaluate(`(() => {
      // Read from a copy: Chromium complains about a canvas that is read often.
      const { width, height } = document.getElementById('mask');
      const copy = new OffscreenCanvas(width, height).getContext('2d');
      copy.drawImage(document.getElementById('mask'), 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length / (data.length / 4);
    })()`);

  test.for(['plain', 'isolated'] as const)('shows results, %s, and asks its own server alone', async (kind) => {
    const { page, url, complaints, hosts } = await visit(kind);
    expect(await page.evaluate('crossOriginIsolated')).toBe(kind === 'isolated');
    await analyze(page);
    const adapters = await shippedAdapters();
    const count = (task: string) => adapters.filter((adapter) => adapter.task === task).length;
    expect(await page.locator('.lane').count()).toBe(count('localize') + 3 * count('parse'));
    expect(await page.locator('.cell').count()).toBe(4 * count('segment'));
    expect(await page.locator('.set').count()).toBe(adapters.length + count('parse'));
    // Nobody knows the truth about this film.
    expect(
      await page.locator('.true:visible, #score:not(:empty), #legend:visible, #truth-toggle:visible').count(),
    ).toBe(0);
    const untrained = adapters.some((adapter) => adapter.untrained);
    expect(await page.locator('#notice').isVisible()).toBe(untrained);
    if (untrained) expect(await page.textContent('#notice')).toMatch(/untrained.*mean nothing/);
    const device = await page.textContent('#device');
    expect(device).toMatch(/^WASM, \d+ threads?, onnxruntime-web/);
    if (kind === 'plain') expect(device).toMatch(/1 thread,.*not cross-origin isolated/);
    else expect(device).not.toContain('not cross-origin isolated');
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([url]);
    await page.context().close();
  });

  test('a clip of the gallery is shown with the truth, and timeline and probabilities follow playback, and seek', async () => {
    const { page, complaints } = await visit('plain');
    await pick(page, 'llp-9');
    expect(await page.textContent('#name')).toMatch(/^Parse, clip 1/);
    expect(await page.textContent('#score')).toMatch(/^\d+ of 20 seconds right/);
    expect(await page.textContent('#timing')).toMatch(/^WASM, 1 thread: [\d.]+ ms per second of video/);
    expect(await page.locator('.true .bar').allTextContents()).toEqual([
      'bell',
      'drum',
      'rain',
      'hand clap',
      'drum',
      'rain',
      'hand clap',
      'drum',
      'rain',
      'hand clap',
    ]);
    expect(await page.locator('.lane .head small').allTextContents()).toEqual(
      Array(3).fill(expect.stringMatching(/^\d+ of 10 right$/)),
    );
    expect(await second(page)).toBe('Second 1 of 10');
    expect(await page.locator('.set h3 small').allTextContents()).toEqual(['true: bell, rain', 'true: rain']);
    const lane = page.locator('.lane .track').first();
    const { width, height } = (await lane.boundingBox())!;
    await lane.click({ position: { x: width * 0.55, y: height / 2 } });
    await untilSecond(page, 'Second 6 of 10');
    expect(await time(page)).toBeCloseTo(5.5, 1);
    expect(await page.locator('.set h3 small').allTextContents()).toEqual([
      'true: bell, drum, rain, hand clap',
      'true: drum, rain, hand clap',
    ]);
    await page.locator('.true .bar').nth(1).press('Enter');
    await untilSecond(page, 'Second 5 of 10');
    await page.locator('.ruler input').press('End');
    await untilSecond(page, 'Second 10 of 10');
    await page.locator('.ruler input').press('Home');
    await untilSecond(page, 'Second 1 of 10');
    await page.evaluate('document.getElementById("video").muted = true; document.getElementById("video").play()');
    await untilSecond(page, 'Second 2 of 10');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('mask and true outline lie over the film, and can be taken away', async () => {
    const { page, complaints } = await visit('plain');
    await pick(page, 'avs-s4-9');
    expect(await page.textContent('#score')).toMatch(/^Overlap with the truth \d+%$/);
    expect(await page.locator('.cell.true').count()).toBe(5);
    expect(await axeFaults(page)).toEqual([]);
    const both = await masked(page);
    await page.getByLabel('Outline of the truth').uncheck();
    const mask = await masked(page);
    await page.getByLabel('Mask', { exact: true }).uncheck();
    expect(await masked(page)).toBe(0);
    await page.getByLabel('Outline of the truth').check();
    const outline = await masked(page);
    expect(outline).toBeGreaterThan(0);
    expect(outline).toBeLessThan(0.1);
    expect(both).toBeGreaterThanOrEqual(Math.max(mask, outline));
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('without clips there is no gallery; a clip that has gone is an error with a hint', async () => {
    const { page } = await visit('plain');
    await page.locator('#gallery').waitFor();
    await page.route('**/out/clips/*.webm', (route) => route.fulfill({ status: 404 }));
    await page.locator('[data-clip="ave-9"]').click();
    await page.locator('#error').waitFor();
    expect(await page.textContent('#error')).toMatch(/ave-9\.webm is not there.*Start the example again/);
    // The route added last is asked first. Those before it stay: to take them away while they answer is an error of its own.
    await page.route('**/out/clips/*', (route) => route.fulfill({ status: 404 }));
    await page.reload();
    await page.locator('#not-served').waitFor({ state: 'detached' });
    expect(await page.locator('#gallery').isVisible()).toBe(false);
    await page.context().close();
  });

  test('a file that is no film is refused with a hint, and the next one works', async () => {
    const { page } = await visit('plain');
    await page.setInputFiles('#file', noFilm);
    await page.locator('#error').waitFor();
    expect(await page.textContent('#error strong')).toMatch(/no audio or video file/);
    expect(await page.textContent('#error span')).toMatch(/Check/);
    expect(await axeFaults(page)).toEqual([]);
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
    await page.unroute('**/*.safetensors');
    await analyze(page);
    await page.context().close();
  });

  test('fits a phone, and is read without sight', async () => {
    const { page } = await visit('plain', { viewport: { width: 390, height: 844 } });
    const width = () => page.evaluate('document.documentElement.scrollWidth');
    await page.locator('#gallery').waitFor();
    expect(await width()).toBe(390);
    expect(await axeFaults(page)).toEqual([]);
    await pick(page, 'ave-9');
    expect(await width()).toBe(390);
    expect(await axeFaults(page)).toEqual([]);
    await page.context().close();
  });
});
