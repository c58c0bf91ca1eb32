/** The codecs of Node: named when they are missing, silent when a film is damaged. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import { summaryFormat } from '../helpers/clip-summary.ts';

afterEach(() => {
  vi.doUnmock('@mediabunny/server');
  vi.resetModules();
  vi.restoreAllMocks();
});

test('without the package the error names the command that installs it', async () => {
  vi.doMock('@mediabunny/server', () => {
    throw new Error('Cannot find package');
  });
  vi.resetModules();
  const { prepareDecoders } = await import('../../sdk/node/decoder.ts');
  await expect(prepareDecoders()).rejects.toMatchObject({
    name: 'MettleError',
    code: 'missing-package',
    hint: expect.stringContaining('npm install @mediabunny/server'),
  });
});

test('a film with a damaged middle is decoded to its end, with a warning and nothing on the console', async () => {
  const bytes = readFileSync(new URL('../fixtures/tiny.mp4', import.meta.url));
  bytes.fill(0xff, 20_000, 32_000);
  const print = [vi.spyOn(process.stderr, 'write'), vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
  const clip = await openClip(new Blob([bytes]));
  const seen: boolean[] = [];
  for await (const { frame, pcm } of clip.segments(summaryFormat)) seen.push(frame !== null && pcm?.length === 16_000);
  expect(seen).toEqual([true, true, true, true]);
  const codes = clip.warnings.map(({ code }) => code);
  expect(codes).toContain('truncated');
  expect(codes.length).toBeLessThanOrEqual(2);
  for (const spy of print) expect(spy).not.toHaveBeenCalled();
  await clip.dispose();
});
