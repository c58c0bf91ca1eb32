/**
 * The app in a real browser, as a person uses it: a sample, captions, downloads, without network, a camera and a microphone that play a toybox clip, what fails, a phone.
 * Needs `npm run build`. That something is found is asked of the shipped models, not what.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeClips } from '../../examples/clips.ts';
import { serve } from '../../examples/serve.mjs';
import { createMettle } from '../../sdk/index.ts';
import { axeFaults } from '../helpers/axe.ts';
import { chromiumFlags } from '../helpers/chromium-flags.ts';
import { exampleFiles } from '../helpers/example-files.ts';
import { fakeDevices } from '../helpers/fake-devices.ts';
import { notesOf, type PageNotes } from '../helpers/page-notes.ts';
import { taughtEvents } from '../helpers/taught-examples.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
const noFilm = fileURLToPath(new URL('../../package.json', import.meta.url));
const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);
/** A service worker asks for the samples itself, so they have to lie where the server looks. */
const clips = join(root, 'out/clips');
const hadClips = existsSync(clips);

/** In the page: what teaching has kept of what it saw. */
const progressKept =
  'caches.open("mettle-edge-lessons").then((cache) => cache.keys()).then((all) => all.filter(({ url }) => url.includes("/progress-")).length)';

type Visit = PageNotes & {
  page: Page;
  url: string;
  stopServer(): Promise<void>;
  close(): Promise<void>;
};

describe.skipIf(!hasBrowser)(`the app${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mettle-devices-'));
    if (!hadClips) await writeClips(clips, 1);
    const devices = await fakeDevices(folder, 9);
    // A request to any other host fails, and shows up as an error.
    const args = [...chromiumFlags, ...devices, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'];
    browser = await chromium.launch({ executablePath, args });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
    if (!hadClips) await rm(clips, { recursive: true });
  });

  async function visit(options: BrowserContextOptions = {}): Promise<Visit> {
    const server = await serve({ root, isolated: true });
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const { complaints, hosts } = notesOf(context, page);
    await page.goto(`${server.url}/examples/app/?device=wasm`);
    await page.locator('#samples').waitFor();
    await page.locator('#adapters li').first().waitFor();
    const close = async () => {
      await context.close();
      await server.close();
    };
    return { page, url: server.url, complaints, hosts, stopServer: server.close, close };
  }

  async function result(page: Page, act: () => Promise<void>): Promise<void> {
    await act();
    await page.locator('#outcome:visible, #error:visible').first().waitFor({ timeout: 100_000 });
    // What the page says went wrong is worth more than what is missing.
    expect(await page.locator('#error:visible').allTextContents()).toEqual([]);
    await page.locator('#progress').waitFor({ state: 'hidden' });
  }

  const download = async (page: Page, name: string): Promise<{ name: string; text: string }> => {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name, exact: true }).click(),
    ]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
  };

  const bars = (page: Page) => page.locator('.bar').allTextContents();

  test('a sample is answered, captioned and taken along, by its own server alone; then without any', async () => {
    const { page, url, complaints, hosts, stopServer, close } = await visit({ reducedMotion: 'reduce' });
    expect(await axeFaults(page)).toEqual([]);
    await page.locator('[data-clip="llp-9"]').focus();
    await result(page, () => page.keyboard.press('Enter'));
    expect(await page.locator('#told').textContent()).toMatch(/^Done: [1-9]\d* events found\.$/);
    expect(await axeFaults(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await axeFaults(page)).toEqual([]);

    const found = await bars(page);
    expect(found.join('\n')).toMatch(/^.+, heard, 0:0\d to 0:\d\d(, off-screen 0:0\d to .*)?, \d+%$/m);
    expect(await page.locator('#device-facts dd').first().textContent()).toMatch(/^WASM, \d threads?$/);

    // The axis seeks, and arrows go from bar to bar.
    await page.getByLabel('Position in the film, seconds').press('End');
    await page.getByText('Second 10 of 10').waitFor();
    const lane = page.locator('.lane', { has: page.locator('.bar:nth-of-type(2)') }).first();
    await lane.locator('.bar').first().press('ArrowRight');
    expect(await page.locator(':focus').textContent()).toBe(await lane.locator('.bar').nth(1).textContent());

    await page.locator('#cues button').first().waitFor();
    const english = await page.locator('#cues').textContent();
    expect(english).toMatch(/\[.*\]/);
    await page.getByLabel('Language').selectOption('de');
    await expect.poll(() => page.locator('#cues').textContent()).not.toBe(english);

    await page.getByLabel('Where it looked: toybox-llp').check();
    const spectrogram = page.getByRole('img', { name: /^Spectrogram of the film, coloured where toybox-llp listened/ });
    await spectrogram.waitFor({ timeout: 100_000 });
    await page.locator('#progress').waitFor({ state: 'hidden' });
    await page.getByRole('img', { name: /and where toybox-llp looked$/ }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    expect(await bars(page)).toEqual(found);
    await page.getByLabel('Where it looked: toybox-llp').uncheck();
    expect(await spectrogram.count()).toBe(0);

    const json = await download(page, 'JSON everything');
    expect(json.name).toBe('llp-9.json');
    expect(JSON.parse(json.text)).toMatchObject({ format: 'mettle-edge/results', source: { name: 'llp-9.webm' } });
    expect((await download(page, 'WebVTT captions')).text).toMatch(/^WEBVTT\n\n0/);
    expect((await download(page, 'EDL markers')).text).toMatch(/^TITLE: llp-9\.webm\n/);

    const devtools = await page.context().newCDPSession(page);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // The test's own browser profile is a private one.
    expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
    await page.getByText(/^Works without network/).waitFor();
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([url]);

    await stopServer();
    await expect(fetch(url)).rejects.toThrow();
    await page.reload();
    await page.locator('[data-clip="llp-9"]').click();
    await result(page, async () => {});
    expect(await bars(page)).toEqual(found);
    await close();
  }, 240_000);

  test('camera and microphone are watched until they are stopped', async () => {
    const { page, complaints, close } = await visit();
    // Of another world than those that were chosen, which go.
    for (const name of [/^toybox-ave/, /^toybox-llp/, /^toybox-s4/]) await page.getByRole('checkbox', { name }).check();
    expect(await page.locator('#adapters input:checked').count()).toBe(3);
    await page.getByRole('tab', { name: 'Film' }).press('ArrowRight');
    expect(await page.getByRole('tab', { name: 'Live' }).getAttribute('aria-selected')).toBe('true');
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Start watching' }).click();
    await page
      .getByRole('log')
      .getByText(/ began: (heard|seen)/)
      .first()
      .waitFor({ timeout: 100_000 });
    const facts = await page.locator('#pulse').textContent();
    expect(facts).toMatch(/Latency[\d.]+ msMoments[1-9]\d*Left out\d+$/);
    await expect.poll(() => page.locator('#pulse').textContent(), { timeout: 20_000 }).not.toBe(facts);
    expect(await page.locator('#live-now .dot').count()).toBeGreaterThan(0);
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped').waitFor();
    await page
      .getByRole('log')
      .getByText(/ ended after [\d.]+ s/)
      .first()
      .waitFor();
    expect(await page.evaluate('document.getElementById("live-video").srcObject')).toBe(null);
    expect(complaints).toEqual([]);
    await close();
  }, 180_000);

  test('two events are taught, cancelled and taught again, taken along, watched live and forgotten', async () => {
    const { page, complaints, hosts, url, close } = await visit({ reducedMotion: 'reduce' });
    await page.getByRole('tab', { name: 'Film' }).press('ArrowLeft');
    expect(await page.getByRole('tab', { name: 'Teach' }).getAttribute('aria-selected')).toBe('true');
    await page.getByText('Add an event first.').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    const takes = await exampleFiles(folder, 3);
    for (const event of taughtEvents) {
      await page.getByLabel('New event').fill(event);
      await page.keyboard.press('Enter');
      await page.getByLabel(`Pick files for ${event}`).setInputFiles(takes[event]!);
      await page.getByText(`${event}-2.wav`, { exact: true }).waitFor();
    }
    await page.getByLabel('Pick files for Nothing').setInputFiles(takes.nothing!);
    await page.getByRole('button', { name: 'Record Nothing' }).click();
    await page.getByText(/^Recording: \d s left$/).waitFor({ timeout: 30_000 });
    await page.getByText('Recording 4', { exact: true }).waitFor({ timeout: 30_000 });
    expect(await axeFaults(page)).toEqual([]);

    // What is deleted is lacking, until it is there again; a page that was closed has it all.
    await page.getByRole('button', { name: 'Delete bell-1.wav of bell' }).click();
    await page.getByText('bell needs 1 more example.').waitFor();
    await page.getByLabel('Pick files for bell').setInputFiles(takes.bell!.slice(1, 2));
    await page.getByText('10 examples ready.').waitFor();
    await page.reload();
    await page.getByRole('tab', { name: 'Teach' }).click();
    await page.getByText('10 examples ready.').waitFor();

    const teach = page.getByRole('button', { name: 'Teach', exact: true });
    await teach.click();
    await page.getByText(/^Looking at examples: [1-9]/).waitFor({ timeout: 100_000 });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled.').waitFor();
    expect(await page.evaluate(progressKept)).toBe(0);
    await teach.click();
    await page.locator('#taught:visible, #error:visible').first().waitFor({ timeout: 200_000 });
    expect(await page.locator('#error:visible').allTextContents()).toEqual([]);
    expect(await page.locator('#taught-words').textContent()).toMatch(/^By sound: of 6 examples, .* 6 came out right/);
    expect(await axeFaults(page)).toEqual([]);

    const [zip] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export zip' }).click(),
    ]);
    const adapters = [new Blob([await readFile(await zip.path())])];
    await using mettle = await createMettle({ adapters, device: 'wasm', threads: 1 });
    const { events } = await mettle.parse(takes.saw![1]!);
    expect(new Set(events.map(({ label }) => label))).toEqual(new Set(['saw']));

    await page.getByRole('button', { name: 'Try it live' }).click();
    await page.locator('#pulse dd').first().waitFor({ timeout: 100_000 });
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('tab', { name: 'Teach' }).click();
    await page.getByRole('button', { name: 'Forget all' }).click();
    await page.getByRole('button', { name: 'Forget all examples?' }).click();
    await page.getByText('Add an event first.').waitFor();
    expect(await page.locator('[data-adapter="taught-here"]').count()).toBe(0);
    expect(
      await page.evaluate('caches.open("mettle-edge-lessons").then((cache) => cache.keys()).then((all) => all.length)'),
    ).toBe(0);
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([url]);
    await close();
  }, 400_000);

  test('on a phone: what is no film is refused, loading is cancelled, the next film works', async () => {
    const { page, close } = await visit({ viewport: { width: 390, height: 844 } });
    const width = () => page.evaluate('document.documentElement.scrollWidth');
    await page.route('**/*.safetensors', () => {});
    await page.setInputFiles('#file', film);
    await page.getByText('Fetching models').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled.').waitFor();
    expect(await page.locator('#progress').isVisible()).toBe(false);
    await page.unroute('**/*.safetensors');
    await page.setInputFiles('#file', noFilm);
    await page.getByText(/no audio or video file/).waitFor({ timeout: 60_000 });
    expect(await axeFaults(page)).toEqual([]);
    expect(await width()).toBe(390);
    await page.getByLabel(/everyday-avs/).uncheck();
    await result(page, () => page.setInputFiles('#file', film));
    const groups = await page.locator('.group h3').allTextContents();
    expect(groups.length).toBeGreaterThan(0);
    expect(groups.join()).not.toContain('everyday-avs');
    expect(await width()).toBe(390);
    await close();
  }, 180_000);
});
