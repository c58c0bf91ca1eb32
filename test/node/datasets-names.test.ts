/** Tables and names as other systems write them: line ends, marks, composed and decomposed letters. What cannot be read is an error with exit code 2. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../sdk/node/data/index.ts';
import { readDataset } from '../../sdk/train/data/index.ts';
import { mettle } from '../helpers/mettle-command.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-names-'));
});
afterEach(() => rm(folder, { recursive: true }));

const read = async () => readDataset(await openFolder(folder), { probe: false });
const rows = [
  'file,onset,offset,label,modality,split',
  'a.mp4,0,2,Glocke läutet,both,train',
  'b.mp4,1,2,dog,both,test',
];

describe('events.csv', () => {
  test.each([
    ['LF', '', '\n'],
    ['CRLF', '', '\r\n'],
    ['CR', '', '\r'],
    ['a mark and CRLF', '\ufeff', '\r\n'],
    ['a mark and CR', '\ufeff', '\r'],
  ])('with %s is read', async (_, mark, end) => {
    await writeFile(join(folder, 'events.csv'), mark + rows.join(end) + end);
    for (const name of ['a.mp4', 'b.mp4']) await writeFile(join(folder, name), '');
    const { items, classes } = await read();
    expect(items.map(({ id, split }) => [id, split])).toEqual([
      ['a.mp4', 'train'],
      ['b.mp4', 'test'],
    ]);
    expect(classes).toEqual(['Glocke läutet', 'dog']);
  });

  test('and disk may each write letters composed or decomposed, names and labels alike', async () => {
    const [one, other] = ['Glockenläuten é.mp4', 'Übung.mp4'];
    const table = [
      'file,onset,offset,label,split',
      `${one.normalize('NFD')},0,2,Läuten,train`,
      `${other},0,1,${'Läuten'.normalize('NFD')},test`,
    ];
    await writeFile(join(folder, 'events.csv'), table.join('\n'));
    await mkdir(join(folder, 'clips'));
    await writeFile(join(folder, 'clips', one), '');
    await writeFile(join(folder, 'clips', other.normalize('NFD')), 'x');
    const disk = await openFolder(folder);
    const { items, classes, findings } = await readDataset(disk, { probe: false });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(items.map(({ id }) => id)).toEqual([one, other]);
    expect(classes).toEqual(['Läuten']);
    expect(new TextDecoder().decode(await disk.readBytes(`clips/${other}`))).toBe('x');
    expect(disk.pathOf(`clips/${other}`)).toBe(join(folder, 'clips', other.normalize('NFD')));
  });

  test('folders of masks are found under either form', async () => {
    await mkdir(join(folder, 'masks', 'Vögel'.normalize('NFD')), { recursive: true });
    await writeFile(join(folder, 'masks', 'Vögel'.normalize('NFD'), '0.png'), '');
    await writeFile(join(folder, 'Vögel.mp4'), '');
    const { items } = await read();
    expect(items.map(({ id }) => id)).toEqual(['Vögel.mp4']);
  });

  test.each<[string, string | Uint8Array]>([
    ['no row', 'file,onset,offset,label\n'],
    ['nothing', ''],
    ['UTF-16', Uint8Array.from(Buffer.from(`\ufeff${rows.join('\n')}`, 'utf16le'))],
    ['Latin-1', Uint8Array.from(Buffer.from(rows.join('\n'), 'latin1'))],
    ['semicolons', rows.join('\n').replaceAll(',', ';')],
    ['zeros', new Uint8Array(100)],
  ])('of %s is an error with exit code 2', async (_, content) => {
    await writeFile(join(folder, 'events.csv'), content);
    await expect(read()).rejects.toMatchObject({ code: 'invalid-file' });
    const { code, out } = await mettle(['data', 'check', folder, '--fast']);
    expect(code).toBe(2);
    expect(out).toContain('error invalid-file');
  });
});
