/** A user's own folder, splits, detection of layouts and the report on a dataset, over folders held in memory. */
import { describe, expect, test } from 'vitest';
import { checkDataset, formatCheck } from '../../sdk/train/data/check.ts';
import { detectFormat } from '../../sdk/train/data/index.ts';
import { splitByFile } from '../../sdk/train/data/split.ts';
import type { Dataset } from '../../sdk/train/data/types.ts';
import { clips, codesOf, folderOf, invalidFile, lines, read, whereOf } from './datasets-folder.ts';

describe('own folder', () => {
  const table = (...rows: string[]) => lines('file,onset,offset,label,modality', ...rows);
  const labelsOf = (dataset: Dataset, id: string) => dataset.items.find((item) => item.id === id)!.labels;
  const three = ['a.mp4,0,2,dog,both', 'b.mp4,0,1,bell,', 'c.webm,1.4,2,dog,audio-visual'];

  test('events both seen and heard make a dataset for localization', async () => {
    const dataset = await read({ 'events.csv': table(...three), 'a.mp4': '3', 'b.mp4': '2', 'clips/c.webm': '2' });
    expect(dataset).toMatchObject({ task: 'localize', format: 'folder', classes: ['dog', 'bell'] });
    expect(labelsOf(dataset, 'a.mp4')).toEqual({ task: 'localize', seconds: Int32Array.of(0, 0, 2) });
    expect(labelsOf(dataset, 'b.mp4')).toEqual({ task: 'localize', seconds: Int32Array.of(1, 2) });
    expect(labelsOf(dataset, 'c.webm')).toEqual({ task: 'localize', seconds: Int32Array.of(2, 0) });
    expect(dataset.annotated).toEqual({ train: 1, val: 1, test: 1 });
    expect(codesOf(dataset)).toEqual(['drawn-split']);
  });

  test('events of one modality make a dataset for parsing', async () => {
    const rows = ['a.mp4,0,2,dog,audio', 'a.mp4,1,3,dog,visual', '"b, c.mp4",0.9,1.2,"bell ""big""",both', 'd.mp4,,,,'];
    const dataset = await read({
      'events.csv': table(...rows),
      'a.mp4': '3',
      'b, c.mp4': '2',
      'd.mp4': '2',
      'e.mp4': '2',
    });
    expect(dataset.task).toBe('parse');
    expect(dataset.classes).toEqual(['dog', 'bell "big"']);
    expect(labelsOf(dataset, 'a.mp4')).toEqual({
      task: 'parse',
      clip: Uint8Array.of(1, 0),
      audio: Uint8Array.of(1, 0, 1, 0, 0, 0),
      visual: Uint8Array.of(0, 0, 1, 0, 1, 0),
    });
    // Half of no second: the one that it covers most.
    expect(labelsOf(dataset, 'b, c.mp4')).toMatchObject({ audio: Uint8Array.of(0, 0, 0, 1) });
    expect(labelsOf(dataset, 'd.mp4')).toMatchObject({ clip: Uint8Array.of(0, 0) });
    expect(codesOf(dataset).sort()).toEqual(['drawn-split', 'short-event', 'unlabelled-clip']);
    const both = await read(
      { 'events.csv': table(...rows), 'a.mp4': '3', 'b, c.mp4': '2', 'd.mp4': '2' },
      { task: 'localize' },
    );
    expect(labelsOf(both, 'a.mp4')).toEqual({ task: 'localize', seconds: Int32Array.of(2, 0, 2) });
  });

  test('masks make a dataset for segmentation', async () => {
    const files = {
      ...clips(
        'masks/a/0.png',
        'masks/a/2.png',
        'masks/a/7.png',
        'masks/b/1.png',
        'masks/gone/0.png',
        'masks/a/cover.png',
      ),
      'a.mp4': '4',
      'videos/b.webm': '2',
    };
    const dataset = await read(files);
    expect(dataset).toMatchObject({ task: 'segment', classes: [] });
    expect(labelsOf(dataset, 'a.mp4')).toMatchObject({
      masks: ['masks/a/0.png', null, 'masks/a/2.png', null],
      supervised: [true, false, true, false],
      category: null,
    });
    expect(labelsOf(dataset, 'videos/b.webm')).toMatchObject({ masks: [null, 'masks/b/1.png'] });
    expect(codesOf(dataset).sort()).toEqual(['drawn-split', 'missing-clip', 'no-held-out', 'odd-name', 'outside-clip']);
    const named = await read({ ...files, 'events.csv': table('a.mp4,0,2,dog,both', 'b.webm,0,1,dog,both') });
    expect(labelsOf(named, 'b.webm')).toMatchObject({ category: 'dog', masks: [null, 'masks/b/1.png'] });
    expect(codesOf(named)).toContain('task-chosen');
  });

  test('a split column or splits.csv decides; a clip in two splits is refused', async () => {
    const header = 'split,label,onset,offset,file';
    const media = { 'a.mp4': '2', 'b.mp4': '2' };
    const columns = await read({
      ...media,
      'events.csv': lines(header, 'Test,dog,0,1,a.mp4', ',dog,0,1,b.mp4', ',cat,1,2,a.mp4'),
    });
    expect(columns.items.map(({ id, split }) => [id, split])).toEqual([['a.mp4', 'test']]);
    expect(whereOf(columns, 'no-split')).toBe('b.mp4');
    const file = await read({
      ...media,
      'events.csv': table('a.mp4,0,1,dog,', 'b.mp4,0,1,dog,'),
      'splits.csv': lines('file,split', 'a.mp4,val', 'b.mp4,train', 'z.mp4,test'),
    });
    expect(file.items.map(({ id, split }) => [id, split])).toEqual([
      ['b.mp4', 'train'],
      ['a.mp4', 'val'],
    ]);
    expect(whereOf(file, 'unknown-row')).toBe('splits.csv line 4: z.mp4');
    await expect(
      read({ ...media, 'events.csv': lines(header, 'test,dog,0,1,a.mp4', 'train,dog,0,1,a.mp4') }),
    ).rejects.toEqual(invalidFile(/^events\.csv line 3: "a\.mp4" is in train, and further up in test/));
  });

  test('odd events are told', async () => {
    const dataset = await read({
      'events.csv': table('a.mp4,3,1,dog,', 'a.mp4,0,9,dog,', 'a.mp4,0,1,cat,', 'a.mp4,0,1,cow,', 'gone.mp4,0,1,dog,'),
      'classes.txt': lines('cat', 'dog', 'dog'),
      'a.mp4': '2',
    });
    expect(labelsOf(dataset, 'a.mp4')).toEqual({ task: 'localize', seconds: Int32Array.of(0, 1) });
    for (const code of [
      'empty-interval',
      'outside-clip',
      'overlap',
      'unknown-label',
      'missing-clip',
      'same-class',
      'no-held-out',
    ]) {
      expect(codesOf(dataset)).toContain(code);
    }
  });

  test.each([
    ['a.mp4,0,x,dog,', /line 2: time "x"/],
    ['a.mp4,-1,1,dog,', /line 2: time "-1"/],
    ['a.mp4,0,1e9,dog,', /line 2: time "1e9"/],
    ['a.mp4,0,1,dog,smell', /line 2: modality "smell"/],
    ['a.mp4,0,1,,', /line 2: the label is empty/],
    ['../a.mp4,0,1,dog,', /line 2: file/],
    ['/a.mp4,0,1,dog,', /line 2: file/],
    ['a.mp4,0', /line 2: 2 fields/],
    ['a.mp4,0,1,dog,,,', /line 2: 7 fields/],
    ['"a.mp4,0,1,dog,', /line 2: a quoted field has no end/],
    ['"a"b.mp4,0,1,dog,', /line 2: text follows a closed quote/],
  ])('%s is refused with its line', async (row, message) => {
    await expect(read({ 'events.csv': table(row) })).rejects.toEqual(invalidFile(message));
  });

  test('a header without the columns is refused', async () => {
    await expect(read({ 'events.csv': 'file,label\n' })).rejects.toEqual(
      invalidFile(/line 1: no column onset, offset/),
    );
    await expect(read({ 'events.csv': '' })).rejects.toEqual(invalidFile(/line 1: no column file/));
  });
});

describe('drawn splits', () => {
  const files = Array.from({ length: 40 }, (_, i) => `clip ${i}.mp4`);
  const count = (splits: Map<string, string>, split: string) => [...splits.values()].filter((s) => s === split).length;

  test('a tenth each for val and test, by seed, whatever the order', () => {
    const splits = splitByFile(files, 7);
    expect([count(splits, 'train'), count(splits, 'val'), count(splits, 'test')]).toEqual([32, 4, 4]);
    expect(new Map([...splitByFile([...files].reverse(), 7)].sort())).toEqual(new Map([...splits].sort()));
    expect(splitByFile(files, 8)).not.toEqual(splits);
    expect([...splitByFile(['a', 'b'], 0).values()]).toEqual(['train', 'train']);
    expect([...splitByFile(['a', 'b', 'c'], 0).values()].sort()).toEqual(['test', 'train', 'val']);
  });
});

describe('detection and check', () => {
  test('the layout follows from the tables', async () => {
    const detect = (...names: string[]) => detectFormat(folderOf(clips(...names)));
    expect(await detect('Annotations.txt', 'readme')).toBe('ave');
    expect(await detect('data/AVVP_val_pd.csv')).toBe('llp');
    expect(await detect('Single-source/s4_meta_data.csv')).toBe('avs-s4');
    expect(await detect('ms3_meta_data.csv')).toBe('avs-ms3');
    expect(await detect('events.csv')).toBe('folder');
    expect(await detect('masks/a/0.png')).toBe('folder');
    await expect(detect('Annotations.txt', 'events.csv')).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(detect('metadata.csv')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/semantic/),
    });
    await expect(detect('a.mp4')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('wrong options are refused', async () => {
    const files = { 'events.csv': lines('file,onset,offset,label', 'a.mp4,0,1,dog'), 'a.mp4': '2' };
    for (const options of [{ format: 'csv' as 'ave' }, { seed: 0.5 }]) {
      await expect(read(files, options)).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    await expect(read({ 'ms3_meta_data.csv': 'm,test' }, { task: 'parse' })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await expect(read(files, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  test('the report counts clips and seconds per class', async () => {
    const report = await checkDataset(
      folderOf({
        'events.csv': lines(
          'file,onset,offset,label,split',
          'a.mp4,0,2,dog,train',
          'b.mp4,0,1,dog,test',
          'b.mp4,1,2,cat,test',
          'c\u001b[31m.mp4,0,1,cat,val',
        ),
        'a.mp4': '3',
        'b.mp4': '2',
      }),
    );
    expect(report).toMatchObject({
      format: 'folder',
      annotated: { train: 1, val: 1, test: 1 },
      usable: { train: 1, val: 0, test: 1 },
      classes: [
        { label: 'dog', clips: { train: 1, val: 0, test: 1 }, seconds: { train: 2, val: 0, test: 1 } },
        { label: 'cat', clips: { train: 0, val: 0, test: 1 }, seconds: { train: 0, val: 0, test: 1 } },
      ],
    });
    expect(report.findings.map(({ code }) => code)).toEqual(['empty-split', 'missing-clip']);
    const text = formatCheck(report);
    expect(text).toMatch(/^data: folder, for localize\n/);
    expect(text).toMatch(/train +1 +1\nval +1 +0\ntest +1 +1\n/);
    expect(text).toMatch(/dog +1 \(2\) +0 \(0\) +1 \(1\)\n/);
    expect(text).toContain('error missing-clip');
    expect(text).not.toContain('\u001b');
  });

  test('a table that cannot be read is a finding with its line and its fix', async () => {
    const report = await checkDataset(folderOf({ 'events.csv': lines('file,onset,offset,label', 'a.mp4,0') }));
    expect(report).toMatchObject({
      format: 'folder',
      task: null,
      findings: [{ level: 'error', code: 'invalid-file' }],
    });
    expect(formatCheck(report)).toMatch(/events\.csv line 2: 2 fields.*double quotes/);
    expect(formatCheck(await checkDataset(folderOf({})))).toMatch(/no dataset that can be read[\s\S]*Annotations\.txt/);
  });

  test('many places of one finding are counted', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
    const { findings } = await checkDataset(
      folderOf({ 'AVVP_train.csv': lines(...names.map((name) => `abcdefghij${name.slice(1)}_0_10\tSpeech`)) }),
    );
    expect(findings.find(({ code }) => code === 'missing-clip')?.where).toMatch(/; and 4 more$/);
  });
});

test('masks that are all empty are an error, some are not', async () => {
  const files = { 'a.mp4': '', 'b.mp4': '', 'masks/a/0.png': 'empty', 'masks/b/0.png': 'empty' };
  await expect(read(files)).rejects.toEqual(invalidFile(/^data: all 2 masks are empty/));
  expect((await read({ ...files, 'masks/b/1.png': '' })).items.length).toBe(2);
});
