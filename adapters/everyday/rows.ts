/** Tables with a header: rows by the names of their columns, and back to text. */
import { lineError, parseTable } from '../../sdk/train/data/csv.ts';

/** Rows as records; columns beyond `columns` are left alone. Throws `invalid-file` that begins with `where` and the line. */
export function readRows<C extends string>(text: string, where: string, columns: readonly C[]): Record<C, string>[] {
  const [header, ...rows] = parseTable(text, { separator: ',', where, quotes: true });
  const missing = columns.filter((name) => !header?.fields.includes(name));
  if (missing.length > 0) throw lineError(where, header?.line ?? 1, `no column ${missing.join(', ')} in the header.`);
  return rows.map(({ line, fields }) => {
    const row = columns.map((name) => [name, fields[header!.fields.indexOf(name)]] as const);
    const absent = row.find(([, field]) => field === undefined);
    if (absent) throw lineError(where, line, `the column ${absent[0]} is missing.`);
    return Object.fromEntries(row) as Record<C, string>;
  });
}

/** CSV with a header; fields are quoted where they must be. */
export function writeRows(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const field = (value: string | number): string =>
    /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}
