/**
 * Tables as text: one row per line, fields by a separator, optionally quoted. Knows lines, so that whoever reads a row can say where it stands. What the
 * fields mean is for others to know.
 */
import { MettleError } from '../../errors.ts';

export type TableRow = {
  /** Number of the line on which the row begins, from 1. */
  line: number;
  fields: string[];
};

export type TableOptions = {
  separator: string;
  /** Name of the file, for messages. */
  where: string;
  /** Fields may stand in double quotes, where a doubled quote is one quote and separators and line ends are text. Default: quotes are text. */
  quotes?: boolean;
};

const longestTable = 64 * 2 ** 20;

/**
 * Splits text into rows and fields, each field trimmed. Lines end with LF or CRLF, empty lines are left out, and so is a byte-order mark.
 * Throws `invalid-file` that begins with the file and the line.
 */
export function parseTable(text: string, options: TableOptions): TableRow[] {
  const { separator, where, quotes = false } = options;
  if (text.length > longestTable) {
    throw new MettleError('invalid-file', `${where}: ${text.length} characters, expected at most ${longestTable}.`);
  }
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  return quotes && body.includes('"') ? quotedRows(body, separator, where) : plainRows(body, separator);
}

/** An `invalid-file` error about one line. */
export function lineError(where: string, line: number, problem: string, hint?: string): MettleError {
  return new MettleError('invalid-file', `${where} line ${line}: ${problem}`, { hint });
}

/** A field as a message may quote it: short, on one line. */
export const quoteField = (field: string | undefined): string =>
  field === undefined ? 'nothing' : JSON.stringify(field.length > 60 ? `${field.slice(0, 60)}...` : field);

function plainRows(text: string, separator: string): TableRow[] {
  const rows: TableRow[] = [];
  text.split('\n').forEach((content, index) => {
    if (content.trim() !== '') {
      rows.push({ line: index + 1, fields: content.split(separator).map((field) => field.trim()) });
    }
  });
  return rows;
}

function quotedRows(text: string, separator: string, where: string): TableRow[] {
  const rows: TableRow[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const row: TableRow = { line, fields: [] };
    for (;;) {
      const field = readField(text, at, separator, where, line);
      row.fields.push(field.value);
      line += field.lineEnds;
      at = field.end;
      if (text[at] !== separator) break;
      at++;
    }
    at++;
    line++;
    if (row.fields.some((field) => field !== '')) rows.push(row);
  }
  return rows;
}

/** A field from `start` up to the separator or line end at `end`. */
function readField(text: string, start: number, separator: string, where: string, line: number) {
  let at = start;
  while (text[at] === ' ') at++;
  if (text[at] !== '"') {
    let end = at;
    while (end < text.length && text[end] !== separator && text[end] !== '\n') end++;
    return { value: text.slice(at, end).trim(), end, lineEnds: 0 };
  }
  let close = at + 1;
  for (;;) {
    close = text.indexOf('"', close);
    if (close < 0) throw lineError(where, line, 'a quoted field has no end.', 'Close the quote with ".');
    if (text[close + 1] !== '"') break;
    close += 2;
  }
  const value = text.slice(at + 1, close);
  let end = close + 1;
  while (text[end] === ' ' || text[end] === '\r') end++;
  if (end < text.length && text[end] !== separator && text[end] !== '\n') {
    throw lineError(where, line, `text follows a closed quote: ${quoteField(text.slice(end, end + 20))}.`);
  }
  return { value: value.replaceAll('""', '"').trim(), end, lineEnds: value.split('\n').length - 1 };
}
