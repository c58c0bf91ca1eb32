/** Datasets on disk: the sample annotations beside a checkout against their expected labels, real clips, and the folder's own rules. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFolder, formatCheck, loadDataset, openFolder, openItem } from '../../sdk/node/data/index.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { encodeWav } from '../../sdk/node/output/wav.ts';
import { FindingList } from '../../sdk/train/data/findings.ts';
import { llpClasses, paintLlpEvents, parseLlpEvents } from '../../sdk/train/data/llp.ts';
import { readShared, sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

const clip = fileURLToPath(new URL('../fixtures/tiny.mp4', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mettle-data-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}
function putClip(path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  copyFileSync(clip, join(folder, path));
}
const sharedJson = (path: string) => JSON.parse(new TextDecoder().decode(readShared(path)));

describe.skipIf(sharedIsAbsent('annotations'))(
  'sample annotations (skipped without ../shared/data/annotations)',
  () => {
    test.each(['Annotations.txt', 'Annotations_no_header.txt'])('AVE with %s', async (table) => {
      const { classes, background, rows, split_rows } = sharedJson('annotations/ave/expected.json');
      for (const name of ['trainSet.txt', 'valSet.txt', 'testSet.txt', 'categories.txt']) {
        copyFileSync(sharedPath(`annotations/ave/${name}`), join(folder, name));
      }
      copyFileSync(sharedPath(`annotations/ave/${table}`), join(folder, 'Annotations.txt'));
      for (const { video } of rows) put(`AVE/${video}.mp4`, '');
      const { dataset } = await loadDataset(folder, { probe: false });
      expect(dataset.classes).toEqual(classes);
      const splits = ['train', 'val', 'test'] as const;
      const expected = splits.flatMap((split) =>
        split_rows[split].map((row: number) => {
          // The reader's background follows its classes, of which the sample has fewer than the 28 of the dataset.
          const labels = rows[row].labels.map((label: number) => (label === background ? classes.length : label));
          return [split, rows[row].video, labels];
        }),
      );
      expect(
        dataset.items.map(({ id, split, labels }) => [
          split,
          id.replace(/#\d+$/, ''),
          labels.task === 'localize' && [...labels.seconds],
        ]),
      ).toEqual(expected);
      expect(dataset.findings.map(({ code, where }) => [code, where.replace(/ line \d+/, '')])).toEqual([
        ['split-leak', 'INVENTED003'],
        ['empty-interval', 'Annotations.txt: INVENTED006'],
      ]);
    });

    test('LLP', async () => {
      const expected = sharedJson('annotations/llp/expected.json');
      cpSync(sharedPath('annotations/llp'), folder, { recursive: true });
      for (const modality of ['audio', 'visual']) {
        const where = `AVVP_eval_${modality}.csv`;
        const text = new TextDecoder().decode(readShared(`annotations/llp/${where}`));
        const painted = paintLlpEvents(parseLlpEvents(text, where), where, new FindingList());
        expect([...painted.keys()].sort()).toEqual(Object.keys(expected[modality]).sort());
        for (const [name, grid] of painted) {
          for (const [c, label] of llpClasses.entries()) {
            const row = Array.from({ length: 10 }, (_, second) => grid[second * 25 + c]);
            expect(row).toEqual(expected[modality][name][label] ?? new Array(10).fill(0));
          }
        }
      }
      for (const name of ['INVENTEDE01_23_33', '-NVENTEDT03', 'INVENTEDV01', '_NVENTEDV02', 'INVENTEDE03']) {
        put(`videos/${name}.mp4`, '');
      }
      const { dataset } = await loadDataset(folder, { probe: false });
      expect(dataset.items.map(({ id }) => id)).toEqual([
        '-NVENTEDT03_120_130',
        'INVENTEDV01_20_30',
        '_NVENTEDV02_0_10',
        'INVENTEDE01_23_33',
        'INVENTEDE03_250_260',
      ]);
      expect(dataset.annotated).toEqual({ train: 6, val: 5, test: 5 });
      const codes = ['missing-clip', 'empty-interval', 'outside-splits', 'no-audio-event', 'no-visual-event'];
      for (const code of codes) expect(dataset.findings.map((finding) => finding.code)).toContain(code);
    });

    test.each([
      ['s4', { train: 3, val: 2, test: 2 }],
      ['ms3', { train: 3, val: 2, test: 1 }],
    ])('AVSBench %s', async (part, annotated) => {
      copyFileSync(sharedPath(`annotations/avsbench/${part}_meta_data.csv`), join(folder, `${part}_meta_data.csv`));
      const { dataset } = await loadDataset(folder);
      expect(dataset).toMatchObject({ format: `avs-${part}`, annotated, items: [] });
      expect(dataset.findings.map(({ code }) => code)).toEqual(['missing-frames']);
    });
  },
);

describe('clips on disk', () => {
  test('a broken, an empty and a missing clip are listed; the rest can be opened', async () => {
    put(
      'events.csv',
      'file,onset,offset,label,modality,split\na.mp4,0,1,dog,audio,train\nday 1/b.mp4,0,1,dog,both,test\nc.mp4,0,1,dog,both,val\nd.mp4,0,1,dog,both,val\ne.mp4,0,1,dog,both,val\n',
    );
    putClip('a.mp4');
    putClip('day 1/b.mp4');
    put('c.mp4', 'no clip at all');
    put('d.mp4', '');
    const { dataset, folder: opened } = await loadDataset(folder);
    expect(dataset.items.map(({ id, split }) => [id, split])).toEqual([
      ['a.mp4', 'train'],
      ['day 1/b.mp4', 'test'],
    ]);
    const found = Object.fromEntries(dataset.findings.map(({ code, where }) => [code, where]));
    expect(found['broken-clip']).toMatch(/^c\.mp4 \(.*d\.mp4 \(/);
    expect(found['missing-clip']).toBe('e.mp4');
    await using clip = await openItem(opened, dataset.items[1]!);
    expect(clip.segmentCount).toBe(dataset.items[1]!.seconds);
    const report = await checkFolder(folder);
    expect(report.usable).toEqual({ train: 1, val: 0, test: 1 });
    expect(formatCheck(report)).toMatch(/error empty-split[\s\S]*error broken-clip/);
  });

  test('extracted frames and a wav file open as one clip', async () => {
    put('ms3_meta_data.csv', 'name,split\nm,test\nn,test\no,test\n');
    for (let k = 1; k <= 5; k++) {
      put(`visual_frames/m/m.mp4_${k}.png`, encodePng({ width: 2, height: 2, data: new Uint8Array(12).fill(40 * k) }));
      const mask =
        k === 5 ? Buffer.from('broken') : encodePng({ width: 2, height: 2, data: Uint8Array.of(0, 255, 0, 0) });
      put(`gt_masks/test/m/m_${k}.png`, mask);
      const good = encodePng({ width: 1, height: 1, data: Uint8Array.of(1) });
      for (const name of ['n', 'o']) {
        put(`visual_frames/${name}/${name}_${k}.png`, name === 'n' && k === 3 ? 'broken' : good);
        put(`gt_masks/test/${name}/${name}_${k}.png`, good);
      }
    }
    put('audio_wav/test/o.wav', 'broken');
    // 5.5 s at 0.5, of which the last half second is cut.
    put('audio_wav/test/m.wav', encodeWav(new Float32Array(88_000).fill(0.5), 16_000));
    const { dataset, folder: opened } = await loadDataset(folder);
    const [item, ...others] = dataset.items;
    expect(others).toEqual([]);
    expect(item!.labels).toMatchObject({ supervised: [true, true, true, true, false] });
    expect(dataset.findings.map(({ code, where }) => [code, where.split(/:| /)[0]])).toEqual([
      ['broken-mask', 'gt_masks/test/m/m_5.png'],
      ['broken-frame', 'visual_frames/n/n_3.png'],
      ['broken-sound', 'audio_wav/test/o.wav'],
      ['no-sound', 'audio_wav/test/n.wav'],
    ]);
    await using clip = await openItem(opened, item!);
    expect([clip.duration, clip.segmentCount]).toEqual([5, 5]);
    const seen: number[] = [];
    for await (const { frame, pcm } of clip.segments({ frame: { width: 2, height: 2 }, sampleRate: 16_000 })) {
      seen.push(frame!.data[0]!);
      expect(pcm![8000]).toBeCloseTo(0.5, 3);
    }
    expect(seen).toEqual([40, 80, 120, 160, 200]);
  });
});

describe('DiskFolder', () => {
  test('lists, reads, and stays inside', async () => {
    put('a/b.txt', 'text');
    put('latin.txt', Uint8Array.of(0x66, 0xfc));
    const opened = await openFolder(folder);
    expect((await opened.list('')).sort()).toEqual(['a/', 'latin.txt']);
    expect(await opened.list('a/')).toEqual(['b.txt']);
    expect(await opened.list('nowhere')).toEqual([]);
    expect([await opened.exists('a/b.txt'), await opened.exists('a/'), await opened.exists('a/c')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await opened.readText('a/b.txt')).toBe('text');
    await expect(opened.readText('latin.txt')).rejects.toMatchObject({ code: 'invalid-file' });
    await expect(opened.readText('a/none')).rejects.toMatchObject({ code: 'not-found' });
    for (const path of ['../x', '/etc/hostname', 'a/../../x']) {
      await expect(opened.readBytes(path)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    await expect(openFolder(join(folder, 'latin.txt'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(checkFolder(join(folder, 'none'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
