/** What everyday clips are made of: when recordings sound, things cut out of photographs, credits; and that the real material is credited and held back, where it is. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { blanketCredits, modSoundsCredits, sonicPiCredits, tableCredits } from '../../adapters/everyday/credits.ts';
import { cutByMask, cutOut } from '../../adapters/everyday/cutout.ts';
import { listPhotos } from '../../adapters/everyday/photos.ts';
import { listRecordings } from '../../adapters/everyday/recordings.ts';
import { rate, soundingSpans } from '../../adapters/everyday/sounds.ts';
import { isHeldRecording, partPhotos } from '../../adapters/nano/held.ts';
import { sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

describe('sounding spans', () => {
  const bursts = (times: number[], length: number): Float32Array => {
    const samples = new Float32Array(5 * rate);
    for (const time of times) {
      for (let i = 0; i < length * rate; i++) samples[Math.round(time * rate) + i] = 0.2 * Math.sin(i / 7);
    }
    return samples;
  };
  test.each<[string, Float32Array, boolean, [number, number][]]>([
    ['nothing in digital silence', new Float32Array(5 * rate), false, []],
    [
      'a call between pauses',
      bursts([0.5, 3], 0.5),
      true,
      [
        [0.5, 1],
        [3, 3.5],
      ],
    ],
    ['a clock as one', bursts([0, 1, 2, 3, 4], 0.1), false, [[0, 4.1]]],
  ])('find %s', (_name, samples, call, expected) => {
    const rounded = soundingSpans(samples, call).map((span) => span.map((time) => Number(time.toFixed(2))));
    expect(rounded).toEqual(expected);
  });
});

describe('a cut-out', () => {
  /** A red disc before grey, with a hole that is grey too. */
  const picture = (ground: (x: number, y: number) => number) => {
    const [width, height] = [80, 60];
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const r = Math.hypot(x - 40, y - 30);
      data.set(r < 20 && r > 5 ? [200, 20, 20] : [0, 0, 0].map(() => ground(x, y)), 3 * i);
    }
    return { width, height, data };
  };

  test('is what the plain ground leaves, with what it encloses', () => {
    const cut = cutOut(picture(() => 220))!;
    // A disc of radius 20, drawn in by a pixel.
    expect([cut.width, cut.height]).toEqual([37, 37]);
    const middle = cut.alpha[18 * 37 + 18]!;
    const corner = cut.alpha[0]!;
    expect([middle, corner]).toEqual([255, 0]);
    expect([...cut.rgb.subarray(3 * (18 * 37 + 7), 3 * (18 * 37 + 7) + 3)]).toEqual([200, 20, 20]);
  });

  test('is none where the ground is not plain, or hardly anything is left', () => {
    expect(cutOut(picture((x, y) => (x * 37 + y * 91) % 256))).toBeNull();
    expect(
      cutByMask(
        picture(() => 220),
        new Uint8Array(80 * 60).fill(1, 0, 10),
      ),
    ).toBeNull();
  });
});

describe('credits', () => {
  const page = [
    '| Filename (sounds_) / Source | Author | License | Notes |',
    '| [bee][] | DrDufus | CC0 | loopable |',
    '| [bird*][bird] | Jo (Nick) | CC BY 3.0 | |',
    '| [burst_0[1-2]][fire] | W | CC0 | |',
    '| [hyena_01][] | [↓](#authors) | CC BY 2.0 | |',
    '| Filename (sounds_node_) / Source | Author | License | Notes |',
    '| [dig.*][dig] | L | CC0 | |',
    '- **hyena:** M & N',
    '[bee]: https://e.org/1',
    '[bird]: https://e.org/2',
    '[fire]: https://e.org/3',
    '[hyena_01]: https://e.org/4',
    '[dig]: https://e.org/5',
  ].join('\n');
  test.each([
    ['bee', 'DrDufus', 'https://e.org/1', 'DrDufus'],
    ['bird_02', 'Jo (Nick)', 'https://e.org/2', 'Nick'],
    ['burst_02', 'W', 'https://e.org/3', 'W'],
    ['hyena_01', 'M & N', 'https://e.org/4', 'M & N'],
    ['node_dig.2', 'L', 'https://e.org/5', 'L'],
  ])('of a page with patterns are found for %s', (name, author, source, series) => {
    expect(modSoundsCredits(page)(name)).toMatchObject({ author, source, series });
  });

  test('of what the page does not name are none', () => {
    expect(modSoundsCredits(page)('cat')).toBeNull();
    expect(modSoundsCredits(page)('burst_x')).toBeNull();
  });

  test('come from tables and lists', () => {
    const table =
      '| file | bytes | author | Freesound id | licence |\n|---|---|---|---|---|\n| a.flac | 1 | X | 12 | CC0 |';
    expect(tableCredits(table).get('a.flac')).toMatchObject({ author: 'X', source: 'https://freesound.org/s/12/' });
    const sounds = '| [City life](https://e.org/c) | G | - | CC BY |';
    expect(blanketCredits(sounds).get('city-life')).toMatchObject({ author: 'G', licence: 'CC BY' });
    const list = '* `:loop_a` - http://freesound.org/people/zoe/sounds/1/';
    expect(sonicPiCredits(list).get('loop_a')).toMatchObject({ author: 'zoe', licence: 'CC0', series: 'zoe' });
  });
});

const isAbsent = sharedIsAbsent('sounds/mod-sounds') || sharedIsAbsent('photos/caltech101');
describe.skipIf(isAbsent)('real recordings and photographs (skipped without ../shared/data)', () => {
  test('are all credited, and none that nano is judged by trains or validates', async () => {
    const list = await listRecordings(sharedPath('sounds'), join(sharedPath('sounds'), 'none'));
    expect(list.length).toBeGreaterThan(500);
    for (const { author, licence, source } of list) {
      for (const text of [author, licence, source]) expect(text).toBeTruthy();
      expect(licence).toMatch(/^(CC0|CC[ -]BY|Public Domain|public domain|OGA BY)/);
    }
    for (const { name, fold } of list) if (name.startsWith('esc10/')) expect(fold === 3).toBe(isHeldRecording(name));
    const table = await readFile(join(sharedPath('sounds'), 'mod-sounds/sources.md'), 'utf8');
    expect(modSoundsCredits(table)('hyena_02')!.author).toContain('Mathevon');

    const folder = sharedPath('photos/caltech101');
    const held = new Set((await partPhotos(folder)).flatMap((part) => part.held));
    const photos = await listPhotos(folder);
    expect(photos.filter(({ path }) => held.has(path)).every(({ split }) => split === 'test')).toBe(true);
    expect(photos.filter(({ split }) => split === 'test')).toHaveLength(held.size);
  });
});
