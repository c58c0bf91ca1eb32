/** Readers of the published layouts, over folders held in memory. All names and rows are invented. */
import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../sdk/train/data/types.ts';
import { clips, codesOf, invalidFile, lines, read, whereOf } from './datasets-folder.ts';

describe('AVE', () => {
  const rows = [
    'Church bell&abc&good&0&10',
    'Male speech, man speaking&-bcd&good&2&4',
    'Frying (food)&cde&good&0&0',
    'Church bell&-bcd&good&8&10',
  ];
  const files: Record<string, string> = {
    'Annotations.txt': lines('Category&VideoID&Quality&StartTime&EndTime', ...rows),
    'trainSet.txt': lines(rows[1]!, rows[0]!),
    'valSet.txt': rows[2]!,
    'testSet.txt': lines(rows[3]!),
    ...clips('AVE/abc.mp4', 'AVE/-bcd.mp4', 'AVE/cde.mp4'),
  };

  test('labels, order, splits and oddities', async () => {
    const dataset = await read(files);
    expect(dataset).toMatchObject({ task: 'localize', format: 'ave', annotated: { train: 2, val: 1, test: 1 } });
    expect(dataset.classes).toEqual(['Church bell', 'Male speech, man speaking', 'Frying (food)']);
    expect(
      dataset.items.map(({ id, split, labels }) => [
        id,
        split,
        [...('seconds' in labels ? labels.seconds : [])].join(''),
      ]),
    ).toEqual([
      ['-bcd', 'train', '3311333333'],
      ['abc', 'train', '0000000000'],
      ['cde', 'val', '3333333333'],
      ['-bcd#2', 'test', '3333333300'],
    ]);
    expect(dataset.items[0]!.source).toEqual({ kind: 'video', path: 'AVE/-bcd.mp4' });
    expect(codesOf(dataset)).toEqual(['split-leak', 'empty-interval']);
    expect(whereOf(dataset, 'empty-interval')).toBe('Annotations.txt line 4: cde');
  });

  test('a file without header, with CRLF and byte-order mark, in a sub-folder, reads the same', async () => {
    const moved = Object.fromEntries(Object.entries(files).map(([path, text]) => [`data/${path}`, text]));
    moved['data/Annotations.txt'] = `\ufeff${rows.join('\r\n')}`;
    const strip = ({ items, classes }: Dataset) => ({ classes, items: items.map(({ source, ...item }) => item) });
    expect(strip(await read(moved))).toEqual(strip(await read(files)));
  });

  test('missing and broken clips are listed and left out', async () => {
    const { 'AVE/cde.mp4': _, ...rest } = files;
    const dataset = await read({ ...rest, 'AVE/abc.mp4': 'broken', 'AVE/-bcd.mp4': '7.5' });
    expect(dataset.items.map(({ id }) => id)).toEqual(['-bcd', '-bcd#2']);
    expect(dataset.annotated).toEqual({ train: 2, val: 1, test: 1 });
    expect(whereOf(dataset, 'missing-clip')).toBe('cde (val)');
    expect(whereOf(dataset, 'broken-clip')).toBe('AVE/abc.mp4 (These bytes are no clip.)');
    expect(whereOf(dataset, 'short-clip')).toBe('AVE/-bcd.mp4; AVE/-bcd.mp4');
    expect((await read({ ...files, 'AVE/abc.mp4': 'broken' }, { probe: false })).items).toHaveLength(4);
  });

  test('wrong split files: unknown rows, rows listed twice, rows without a split', async () => {
    const dataset = await read({
      ...files,
      'trainSet.txt': lines(rows[0]!, 'Church bell&abc&good&0&9', rows[3]!),
      'valSet.txt': '',
    });
    expect(dataset.items.map(({ id, split }) => [id, split])).toEqual([
      ['abc', 'train'],
      ['-bcd', 'test'],
    ]);
    expect(whereOf(dataset, 'unknown-row')).toBe('trainSet.txt line 2: abc');
    expect(whereOf(dataset, 'listed-twice')).toBe('trainSet.txt line 3: -bcd');
    expect(whereOf(dataset, 'no-split')).toMatch(/line 3: -bcd; .*line 4: cde/);
    const { 'valSet.txt': _, ...missing } = files;
    expect(codesOf(await read(missing))).toContain('missing-table');
  });

  test('a class list fixes the numbers; what is not in it is left out', async () => {
    const dataset = await read({ ...files, 'categories.txt': lines('Frying (food)', 'Church bell') });
    expect(dataset.classes).toEqual(['Frying (food)', 'Church bell']);
    expect(dataset.items.map(({ id }) => id)).toEqual(['abc', 'cde', '-bcd']);
    expect(codesOf(dataset)).toEqual(expect.arrayContaining(['unknown-label', 'class-order']));
  });

  test('lines that are no rows are named', async () => {
    const withLine = (line: string) => read({ ...files, 'Annotations.txt': lines(...rows, line) });
    await expect(withLine('Bark&x&good&0')).rejects.toEqual(invalidFile(/^Annotations\.txt line 5: 4 fields/));
    await expect(withLine('Bark&x&good&0&ten')).rejects.toEqual(invalidFile(/line 5: time "ten"/));
    await expect(withLine('Bark&x&good&-1&10')).rejects.toEqual(invalidFile(/line 5: time "-1"/));
    await expect(read({ 'Annotations.txt': rows.join('\n') })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('events beyond the clip are cut', async () => {
    const row = 'Church bell&abc&good&9&12';
    const dataset = await read({
      ...files,
      'Annotations.txt': row,
      'trainSet.txt': row,
      'valSet.txt': '',
      'testSet.txt': '',
    });
    expect(dataset.items[0]!.labels).toEqual({
      task: 'localize',
      seconds: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
    });
    expect(codesOf(dataset)).toContain('outside-clip');
  });
});

describe('LLP', () => {
  const files = {
    'AVVP_train.csv': lines('filename\tevent_labels', '-bcdefghijk_20_30\tSpeech,Dog'),
    'AVVP_val_pd.csv': lines('filename\tevent_labels', 'a_cdefghijk_0_10\tCar'),
    'AVVP_test_pd.csv': lines('filename\tevent_labels', 'abcdefghijk_120_130\tFrying_(food),Speech'),
    'AVVP_eval_audio.csv': lines(
      'filename\tonset\toffset\tevent_labels',
      'abcdefghijk_120_130\t0\t2\tSpeech',
      'abcdefghijk_120_130\t2\t4\tSpeech',
      'abcdefghijk_120_130\t9\t9\tFrying_(food)',
      'zzzzzzzzzzz_0_10\t0\t10\tSpeech',
    ),
    'AVVP_eval_visual.csv': lines('filename\tonset\toffset\tevent_labels', 'a_cdefghijk_0_10\t8\t10\tCar'),
    ...clips('videos/-bcdefghijk_20_30.mp4', 'videos/a_cdefghijk.mp4', 'videos/abcdefghijk.webm'),
  };
  const on = (grid: Uint8Array | null) =>
    grid && [...grid].flatMap((value, at) => (value ? [[Math.floor(at / 25), at % 25]] : []));

  test('weak labels to train, events per modality to measure', async () => {
    const dataset = await read(files);
    expect(dataset).toMatchObject({ task: 'parse', format: 'llp', annotated: { train: 1, val: 1, test: 1 } });
    expect(dataset.classes).toHaveLength(25);
    const found = dataset.items.map(({ id, split, source, labels }) => {
      if (labels.task !== 'parse' || source.kind !== 'video') throw new Error('wrong kind');
      return [id, split, source.path, on(labels.clip)!.map(([, c]) => c), on(labels.audio), on(labels.visual)];
    });
    expect(found).toEqual([
      ['-bcdefghijk_20_30', 'train', 'videos/-bcdefghijk_20_30.mp4', [0, 3], null, null],
      [
        'a_cdefghijk_0_10',
        'val',
        'videos/a_cdefghijk.mp4',
        [1],
        [],
        [
          [8, 1],
          [9, 1],
        ],
      ],
      [
        'abcdefghijk_120_130',
        'test',
        'videos/abcdefghijk.webm',
        [0, 5],
        [
          [0, 0],
          [1, 0],
          [2, 0],
          [3, 0],
        ],
        [],
      ],
    ]);
    expect(codesOf(dataset)).toEqual(['empty-interval', 'outside-splits', 'no-audio-event', 'no-visual-event']);
    expect(whereOf(dataset, 'outside-splits')).toBe('AVVP_eval_audio.csv line 5: zzzzzzzzzzz_0_10');
  });

  test('odd tables are told', async () => {
    const dataset = await read({
      ...files,
      'AVVP_train.csv': lines('odd\tSpeech', 'abcdefghijk_120_130\tSpeech', '-bcdefghijk_20_30\tSpeach'),
      'AVVP_eval_audio.csv': lines('JfZEqeLZqWk_30_40\t5\t5\tSpeech', 'a_cdefghijk_0_10\t0\t99\tSpeech'),
    });
    for (const code of ['odd-name', 'listed-twice', 'unknown-label', 'older-table', 'outside-clip', 'label-mismatch']) {
      expect(codesOf(dataset)).toContain(code);
    }
    expect(whereOf(dataset, 'missing-clip')).toBe('odd (train)');
    expect(dataset.items.map(({ id, split }) => [id, split])).toEqual([
      ['-bcdefghijk_20_30', 'train'],
      ['a_cdefghijk_0_10', 'val'],
      ['abcdefghijk_120_130', 'test'],
    ]);
  });

  test('without tables of events val and test have none', async () => {
    const { 'AVVP_eval_audio.csv': _, ...rest } = files;
    const dataset = await read(rest);
    expect(dataset.items[2]!.labels).toMatchObject({ audio: null, visual: expect.any(Uint8Array) });
    expect(codesOf(dataset)).toContain('missing-table');
  });

  test('lines that are no rows are named', async () => {
    await expect(read({ ...files, 'AVVP_train.csv': 'a b' })).rejects.toEqual(
      invalidFile(/^AVVP_train\.csv line 1: 1 field/),
    );
    const events = lines('filename\tonset\toffset\tevent_labels', 'x\t0\t1.5\tCar');
    await expect(read({ ...files, 'AVVP_eval_visual.csv': events })).rejects.toEqual(
      invalidFile(/line 2: time "1\.5"/),
    );
  });
});

describe('AVSBench', () => {
  const five = (start: string, end = '.png', content = '') =>
    Object.fromEntries([1, 2, 3, 4, 5].map((k) => [`${start}_${k}${end}`, content]));
  const s4 = (split: string, name: string) => ({
    ...five(`s4_data/visual_frames/${split}/dog/${name}/${name}`),
    [`s4_data/audio_wav/${split}/dog/${name}.wav`]: '',
  });
  const files: Record<string, string> = {
    's4_meta_data.csv': lines(
      'name,start,category,split',
      '-one_0_5000,0:00,dog,train',
      'two,1,dog,val',
      'three,2,dog,test',
    ),
    ...s4('train', '-one_0_5000'),
    's4_data/gt_masks/train/dog/-one_0_5000/-one_0_5000_1.png': '',
    ...s4('val', 'two'),
    ...five('s4_data/gt_masks/val/dog/two/two'),
    ...s4('test', 'three'),
    ...five('s4_data/gt_masks/test/dog/three/three'),
  };

  test('S4 trains on the first mask and measures on all', async () => {
    const dataset = await read(files);
    expect(dataset).toMatchObject({ task: 'segment', format: 'avs-s4', classes: [], findings: [] });
    expect(
      dataset.items.map(({ id, split, labels }) => [
        id,
        split,
        'supervised' in labels && labels.supervised.map(Number).join(''),
      ]),
    ).toEqual([
      ['-one_0_5000', 'train', '10000'],
      ['two', 'val', '11111'],
      ['three', 'test', '11111'],
    ]);
    expect(dataset.items[0]!.source).toMatchObject({
      kind: 'frames',
      audio: 's4_data/audio_wav/train/dog/-one_0_5000.wav',
    });
    expect(dataset.items[0]!.labels).toMatchObject({
      category: 'dog',
      masks: [expect.stringMatching(/_1\.png$/), null, null, null, null],
    });
  });

  test('further masks of S4 train are not used; missing frames, masks and sound are told', async () => {
    const changed: Record<string, string> = { ...files, ...five('s4_data/gt_masks/train/dog/-one_0_5000/-one_0_5000') };
    delete changed['s4_data/visual_frames/val/dog/two/two_3.png'];
    delete changed['s4_data/gt_masks/test/dog/three/three_2.png'];
    delete changed['s4_data/audio_wav/test/dog/three.wav'];
    changed['s4_data/gt_masks/test/dog/three/three_4.png'] = 'broken';
    changed['s4_data/gt_masks/test/dog/three/three_5.png'] = 'empty';
    const dataset = await read(changed);
    expect(dataset.items.map(({ labels }) => 'supervised' in labels && labels.supervised.map(Number).join(''))).toEqual(
      ['10000', '10101'],
    );
    expect(codesOf(dataset).sort()).toEqual([
      'broken-mask',
      'empty-mask',
      'missing-frames',
      'missing-mask',
      'no-sound',
      'unused-masks',
    ]);
    expect(dataset.items[1]!.source).toMatchObject({ audio: null });
  });

  test('MS3 has all masks, and frames outside the splits', async () => {
    const dataset = await read({
      'Multi-sources/ms3_meta_data.csv': lines('name,split', 'm1,train', 'm2,test', 'm1,test'),
      ...five('Multi-sources/ms3_data/visual_frames/m1/m1.mp4'),
      ...five('Multi-sources/ms3_data/visual_frames/m2/m2.mp4'),
      ...five('Multi-sources/ms3_data/gt_masks/test/m1/m1', '.png', 'soft'),
      ...five('Multi-sources/ms3_data/gt_masks/test/m2/m2'),
      ...clips('Multi-sources/ms3_data/audio_wav/test/m1.wav', 'Multi-sources/ms3_data/audio_wav/test/m2.wav'),
    });
    expect(dataset.format).toBe('avs-ms3');
    // m1 is in two splits: it stays where it is measured.
    expect(dataset.items.map(({ id, split }) => [id, split])).toEqual([
      ['m2', 'test'],
      ['m1', 'test'],
    ]);
    expect(codesOf(dataset)).toEqual(['listed-twice', 'mask-levels']);
  });

  test('lines that are no rows are named, also names that leave the folder', async () => {
    const withRow = (row: string) => read({ ...files, 's4_meta_data.csv': lines('name,start,category,split', row) });
    await expect(withRow('a,0,dog,tests')).rejects.toEqual(invalidFile(/line 2: split "tests"/));
    await expect(withRow('a,0,dog')).rejects.toEqual(invalidFile(/line 2: split nothing/));
    await expect(withRow('../a,0,dog,test')).rejects.toEqual(invalidFile(/line 2: name/));
    await expect(withRow('a,0,..,test')).rejects.toEqual(invalidFile(/line 2: name/));
  });
});
