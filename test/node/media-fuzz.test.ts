/** Three hundred damaged films, in a process that can be ended: a result or a MettleError, within ten seconds of computing and a gigabyte, and not a word on the console. */
import { expect, test } from 'vitest';
import { fuzzFilms, fuzzMedia, fuzzReport, isSettled } from '../helpers/media-fuzz.ts';

test('300 damaged films end in a result or a MettleError', { timeout: 600_000 }, async () => {
  const findings = await fuzzMedia(fuzzFilms({ shared: false }), { count: 300, seed: 1 });
  expect(
    findings.filter((finding) => !isSettled(finding)),
    fuzzReport(findings),
  ).toEqual([]);
  const results = findings.filter(({ outcome }) => outcome === 'result').length;
  expect(results).toBeGreaterThan(100);
  expect(results).toBeLessThan(290);
});
