/** `npm run demo`, as a process of its own, and the clips that it shares with the plain page. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { makeClip, shippedKinds } from '../../examples/clips.ts';
import { compare, maskAt } from '../../examples/truth.js';
import { openClip } from '../../sdk/media/clip.ts';
import { decodePng } from '../../sdk/node/data/png-reader.ts';
import { axeFaults } from '../helpers/axe.ts';
import { chromiumFlags } from '../helpers/chromium-flags.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);

test('prints every kind with the truth beneath, and writes a report that needs nothing else', async () => {
  const demo = ['--import', 'tsx', 'examples/demo.ts'];
  const { stdout: out } = await promisify(execFile)(process.execPath, demo, { cwd: root });
  const kinds = await shippedKinds();
  expect(kinds.map(({ adapter }) => adapter)).toEqual(
    expect.arrayContaining(['toybox-ave', 'toybox-llp', 'toybox-s4']),
  );
  const manifests = await Promise.all(
    kinds.map(({ adapter }) => readFile(join(root, `adapters/adapters/${adapter}/manifest.json`), 'utf8')),
  );
  const untrained = manifests.some((text) => JSON.parse(text).untrained);
  expect(out.includes('never trained')).toBe(untrained);
  for (const { title, adapter } of kinds) {
    expect(out.split('\n').filter((line) => line.startsWith(`${title}  ${adapter} · `))).toHaveLength(2);
    expect(out).toMatch(new RegExp(`^  ${adapter} +\\d+ of \\d+  `, 'm'));
  }
  // What is true of the first clip does not depend on any model.
  expect(out).toMatch(/dog +found {2}.*\n +truth {2}.*2-8 s/);
  const report = await readFile(join(root, 'out/demo/report.html'), 'utf8');
  expect(report.includes('never trained')).toBe(untrained);
  expect(report.match(/<article/g)).toHaveLength(2 * kinds.length);
  expect(report).not.toMatch(/<script|https?:|<link/);
  const strip = decodePng(await readFile(join(root, 'out/demo/avs-s4-9.png')));
  expect([strip.width, strip.height]).toEqual([5 * 162 - 2, 120]);
}, 300_000);

test.skipIf(!hasBrowser)(
  `that report is read without sight, light and dark${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`,
  async () => {
    const browser = await chromium.launch({ executablePath, args: chromiumFlags });
    try {
      const page = await browser.newPage();
      await page.goto(pathToFileURL(join(root, 'out/demo/report.html')).href);
      expect(await axeFaults(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await axeFaults(page)).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);

test('an answer that is the truth is right in every second', async () => {
  const kinds = await shippedKinds();
  const { film, truth } = await makeClip(kinds.find(({ task }) => task === 'segment')!, 0);
  await using clip = await openClip(new Blob([film as Uint8Array<ArrayBuffer>]));
  expect([clip.segmentCount, clip.warnings]).toEqual([truth.seconds, []]);
  const { width, height } = truth.masks!;
  const masks = Array.from({ length: truth.seconds }, (_, start) => {
    const data = maskAt(truth, start).map((on) => 255 * on);
    expect(data).toContain(255);
    return { start, end: start + 1, width, height, data, area: 0, familiarity: null, withheld: false };
  });
  const base = { adapter: '', duration: truth.seconds, untrained: false, scope: null, withheld: 0, warnings: [] };
  expect(compare({ ...base, task: 'segment', masks }, truth)).toMatchObject({ right: truth.seconds });
});
