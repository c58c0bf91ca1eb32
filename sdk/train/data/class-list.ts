/** A file of class names, one per line: the line's place is the class number. */
import { MettleError } from '../../errors.ts';
import { parseTable } from './csv.ts';
import type { FindingList } from './findings.ts';
import type { DataFolder } from './types.ts';

/** Reads the names in order; a name twice counts once. Throws `invalid-file` if there is none. */
export async function readClassList(folder: DataFolder, path: string, findings: FindingList): Promise<string[]> {
  const names = parseTable(await folder.readText(path), { separator: '\n', where: path }).map(
    ({ fields }) => fields[0]!,
  );
  if (names.length === 0) {
    throw new MettleError('invalid-file', `${path}: no class name, expected one per line.`, {
      hint: 'Remove the file to number classes by first appearance.',
    });
  }
  const classes = [...new Set(names)];
  if (classes.length < names.length) findings.add('warning', 'same-class', 'A class is listed twice.', path);
  return classes;
}
