/** The report: what it says, that nothing user-given breaks out, and that Chromium shows it without asking for anything. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Findings } from '../../sdk/node/output/findings.ts';
import { escapeHtml, html, scriptJson } from '../../sdk/node/output/html.ts';
import { withinBudget } from '../../sdk/node/output/pictures.ts';
import { reportHtml } from '../../sdk/node/output/report.ts';
import { findings, HOSTILE_LABEL, HOSTILE_NAME } from '../helpers/findings.ts';

describe('html', () => {
  test('escapes values, keeps templates, joins lists', () => {
    const inner = html`<b>${'<&>'}</b>`;
    expect(html`<p title="${`"'\``}">${inner}${[1, 'x<']}${null}${false}</p>`.text).toBe(
      '<p title="&#34;&#39;&#96;"><b>&#60;&#38;&#62;</b>1x&#60;</p>',
    );
  });

  test('what HTML forbids is replaced', () => {
    expect(escapeHtml('a\u0000b\u0007c\ud800d\n')).toBe('a\ufffdb\ufffdc\ufffdd\n');
  });

  test('JSON cannot end its script element', () => {
    const { text } = scriptJson({ a: '</script><!--' });
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ a: '</script><!--' });
  });
});

describe('reportHtml', () => {
  test('holds no address to load from, and no markup of others', () => {
    const report = reportHtml(findings());
    const tame = reportHtml({ ...findings(), name: 'a.mp4' });
    const sources = [...tame.matchAll(/(?:src|href|url|action)\s*[=(]\s*["']?([^"')\s>]{0,12})/gi)].map(
      (match) => match[1],
    );
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).toMatch(/^data:image/);
    expect(report).not.toMatch(/https?:/);
    expect(report).not.toContain('<img src=x');
    expect(report).not.toContain('<i>ave');
    expect(report.match(/<script/g)).toHaveLength(2);
  });

  test('untrained models are told at the top, trained ones are not', () => {
    expect(reportHtml(findings({ untrained: true }))).toContain('never trained');
    expect(reportHtml(findings())).not.toContain('never trained');
  });

  test('no results, no thumbnails, no engine: still a page', () => {
    const bare: Findings = { ...findings(), results: [], thumbnails: [], engine: null, video: null, audio: null };
    expect(reportHtml(bare)).toContain('No task was run.');
  });
});

describe('withinBudget', () => {
  const image = (width: number, height: number, value: number) => ({
    width,
    height,
    data: new Uint8Array(3 * width * height).fill(value),
  });
  test('shrinks all pictures alike, and only where needed', () => {
    const images = [image(8, 4, 10), null, image(8, 4, 20)];
    expect(withinBudget(images, 64)).toEqual(images);
    expect(withinBudget(images, 16)).toEqual([image(4, 2, 10), null, image(4, 2, 20)]);
    expect(withinBudget([image(2, 1, 9)], 0.01)).toEqual([image(1, 1, 9)]);
  });
});

const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';

describe.skipIf(!existsSync(executablePath))('in Chromium', () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mettle-report-'));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a report and collects every complaint and every request that leaves the file. */
  async function open(
    of: Findings,
    options: { javaScriptEnabled?: boolean } = {},
  ): Promise<{ page: Page; trouble: string[] }> {
    const page = await browser.newPage(options);
    const trouble: string[] = [];
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(String(error)));
    page.on('dialog', (dialog) => {
      trouble.push('dialog');
      void dialog.dismiss();
    });
    const url = pathToFileURL(join(folder, 'report.html')).href;
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:image/png')) trouble.push(request.url());
    });
    await writeFile(join(folder, 'report.html'), reportHtml(of));
    await page.goto(url);
    return { page, trouble };
  }

  test('hostile names are shown as what they are', async () => {
    const { page, trouble } = await open(findings());
    expect(await page.textContent('h1')).toBe(HOSTILE_NAME.replace('\u0007', '\ufffd'));
    expect(await page.title()).toContain('onerror=alert(1)');
    expect(await page.locator('tbody th').allTextContents()).toContain(HOSTILE_LABEL);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test('every picture decodes; masks can be hidden', async () => {
    const { page } = await open(findings());
    const sizes = await page.$$eval('.strip img', async (images) => {
      await Promise.all(images.map((image) => (image as HTMLImageElement).decode()));
      return images.map((image) => (image as HTMLImageElement).naturalWidth);
    });
    expect(sizes).toEqual([16, 16, 16, 16, 16, 16]);
    expect(await page.locator('.strip .mask').first().isVisible()).toBe(true);
    await page.uncheck('#masks');
    expect(await page.locator('.strip .mask').first().isVisible()).toBe(false);
    await page.close();
  });

  test('the keyboard reaches seconds and events', async () => {
    const { page } = await open(findings());
    await page.focus('#second');
    await page.keyboard.press('End');
    expect(await page.textContent('#when')).toBe('2 to 2.5 s');
    expect(await page.textContent('.readout')).toContain(HOSTILE_LABEL);
    await page.focus('.bar');
    expect(await page.textContent('#tip')).toMatch(/^Dog · seen and heard · 0 to 1 s · 9\d%$/);
    await page.keyboard.press('Enter');
    expect(await page.textContent('#when')).toBe('0 to 1 s');
    await page.close();
  });

  test('events lie under their seconds', async () => {
    const { page } = await open(findings());
    const track = (await page.locator('.lane .track').first().boundingBox())!;
    const bar = (await page.locator('.bar').nth(1).boundingBox())!;
    // The second event of localization lasts from 2 to 2.5 s, on an axis of three seconds.
    expect((bar.x - track.x) / track.width).toBeCloseTo(2 / 3, 2);
    expect(bar.width / track.width).toBeCloseTo(0.5 / 3, 2);
    await page.close();
  });

  test('without script it still reads, and hides what would not work', async () => {
    const { page } = await open(findings(), { javaScriptEnabled: false });
    expect(await page.locator('.bar').first().isVisible()).toBe(true);
    expect(await page.locator('.stage').isVisible()).toBe(false);
    await page.close();
  });
});
