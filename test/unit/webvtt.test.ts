/** WebVTT: times, order, escapes. In a browser the text is also read back by the browser's own parser. */
import { describe, expect, test } from 'vitest';
import { toWebVTT } from '../../sdk/tasks/export.ts';
import type { LocalizationResult, ParsingResult, SegmentationResult } from '../../sdk/tasks/types.ts';
import { cuesOf } from '../helpers/vtt-cues.ts';

const base = { adapter: 'a', duration: 4000, untrained: false, scope: null, withheld: 0, warnings: [] };
const parsing: ParsingResult = {
  ...base,
  task: 'parse',
  classes: [],
  seconds: [],
  events: [
    { modality: 'audio', label: 'Bell', classIndex: 1, start: 3723, end: 3724.4567, resolution: 1, confidence: 0.914 },
    {
      modality: 'visual',
      label: 'Evil --> <b>"Tom" & Jerry</b>\n\nNOTE x',
      classIndex: 0,
      start: 1,
      end: 2,
      resolution: 1,
      confidence: 1,
    },
  ],
};
const localization: LocalizationResult = {
  ...base,
  task: 'localize',
  classes: [],
  seconds: [],
  events: [{ label: 'Dog', classIndex: 0, start: 0, end: 0.0001, resolution: 1, confidence: 0.5 }],
};
const segmentation: SegmentationResult = { ...base, task: 'segment', masks: [] };

/** What is said of an adapter whose maker did not say what it knows. */
const note = `NOTE
a, by sound and picture.
Its maker does not say what it knows: what is unlike its training clips may be answered all the same.
`;

describe('toWebVTT', () => {
  test('says who answers, for what, and how many seconds it kept silent about; an adapter that listens alone names no other sense', () => {
    const scope = { senses: ['audio' as const], world: 'Dogs --> at\n\nnight.', unknown: 'Cats.' };
    expect(toWebVTT({ ...localization, scope, withheld: 2 })).toBe(`WEBVTT

NOTE
a, by sound alone.
Knows: Dogs -> at night.
Does not know: Cats.
Silent about 2 seconds, which are unlike all that it learned from.

1
00:00:00.000 --> 00:00:00.001
[audio] Dog 50%
`);
  });

  test('one cue per event in order of time, with modality, and markup disarmed', () => {
    expect(toWebVTT([parsing, segmentation, localization])).toBe(`WEBVTT

${note}
${note}
${note}
1
00:00:00.000 --> 00:00:00.001
[audio-visual] Dog 50%

2
00:00:01.000 --> 00:00:02.000
[visual] Evil --&gt; &lt;b&gt;"Tom" &amp; Jerry&lt;/b&gt; NOTE x 100%

3
01:02:03.000 --> 01:02:04.457
[audio] Bell 91%
`);
  });

  test('no events give a valid empty file', () => {
    expect(toWebVTT([segmentation])).toBe(`WEBVTT

${note}`);
    expect(toWebVTT([])).toBe('WEBVTT\n');
  });

  test('untrained models are told in a note', () => {
    expect(toWebVTT([{ ...localization, untrained: true }])).toMatch(/^WEBVTT\n\nNOTE The models were never trained/);
  });

  test.skipIf(typeof document === 'undefined')('a browser reads back what was meant', async () => {
    const cues = await cuesOf(toWebVTT([{ ...parsing, untrained: true }]));
    expect(cues.map((cue) => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent])).toEqual([
      [1, 2, '[visual] Evil --> <b>"Tom" & Jerry</b> NOTE x 100%'],
      [3723, 3724.457, '[audio] Bell 91%'],
    ]);
  });
});
