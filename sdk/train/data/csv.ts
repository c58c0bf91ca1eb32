/**
 * Tables as text: one row per line, fields by a separator, optionally quoted. Knows lines, so that whoever reads a row can say where it stands. What the
 * fields mean is for others to know.
 */
import { limits } from '../../contract/limits.ts';
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

/**
 * Splits text into rows and fields, each field trimmed and in Unicode's composed form (NFC), whatever the machine that wrote it. Lines end with LF, CRLF or CR; empty
 * lines are left out, and so is a byte-order mark. Throws `invalid-file` that begins with the file and the line, also for more rows or fields than
 * {@link limits} allow.
 */
export function parseTable(text: string, options: TableOptions): TableRow[] {
  const { separator, where, quotes = false } = options;
  if (text.length > limits.tableCharacters) {
    const most = limits.tableCharacters;
    throw lineError(where, 1, `the table has ${text.length} characters, expected at most ${most}.`, splitIt);
  }
  const body = (text.startsWith('\ufeff') ? text.slice(1) : text).normalize('NFC');
  const rows = quotes && body.includes('"') ? quotedRows(body, separator, where) : plainRows(body, separator);
  const kept: TableRow[] = [];
  let fields = 0;
  for (const row of rows) {
    fields += row.fields.length;
    if (kept.length === limits.tableRows || fields > limits.tableFields) {
      const [what, most] = fields > limits.tableFields ? ['fields', limits.tableFields] : ['rows', limits.tableRows];
      throw lineError(where, row.line, `the table has more than ${most} ${what}.`, splitIt);
    }
    kept.push(row);
  }
  return kept;
}

const splitIt = 'Split the table into several.';
const lineEnd = /\r\n?|\n/g;

/** An `invalid-file` error about one line. */
export function lineError(where: string, line: number, problem: string, hint?: string): MettleError {
  return new MettleError('invalid-file', `${where} line ${line}: ${problem}`, { hint });
}

/** A field as a message may quote it: short, on one line. */
export const quoteField = (field: string | undefined): string =>
  field === undefined ? 'nothing' : JSON.stringify(field.length > 60 ? `${field.slice(0, 60)}...` : field);

function* plainRows(text: string, separator: string): Generator<TableRow> {
  let start = 0;
  for (let line = 1; start <= text.length; line++) {
    const { end, next } = endOfLine(text, start);
    const content = text.slice(start, end);
    if (content.trim() !== '') {
      const most = limits.tableFields + 1;
      yield { line, fields: content.split(separator, most).map((field) => field.trim()) };
    }
    start = next;
  }
}

/** Where the line that holds `from` ends, and where the next begins; beyond the text where there is none. */
function endOfLine(text: string, from: number): { end: number; next: number } {
  lineEnd.lastIndex = from;
  const found = lineEnd.exec(text);
  return found ? { end: found.index, next: lineEnd.lastIndex } : { end: text.length, next: text.length + 1 };
}

function* quotedRows(text: string, separator: string, where: string): Generator<TableRow> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const row: TableRow = { line, fields: [] };
    for (;;) {
      const field = readField(text, at, separator, where, line);
      if (row.fields.length <= limits.tableFields) row.fields.push(field.value);
      line += field.lineEnds;
      at = field.end;
      if (text[at] !== separator) break;
      at++;
    }
    at = endOfLine(text, at).next;
    line++;
    if (row.fields.length > limits.tableFields || row.fields.some((field) => field !== '')) yield row;
  }
}

/** A field from `start` up to the separator or line end at `end`. */
function readField(text: string, start: number, separator: string, where: string, line: number) {
  let at = start;
  while (text[at] === ' ') at++;
  if (text[at] !== '"') {
    let end = at;
    while (end < text.length && text[end] !== separator && !isLineEnd(text[end]!)) end++;
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
  while (text[end] === ' ') end++;
  if (end < text.length && text[end] !== separator && !isLineEnd(text[end]!)) {
    throw lineError(where, line, `text follows a closed quote: ${quoteField(text.slice(end, end + 20))}.`);
  }
  const lineEnds = value.match(lineEnd)?.length ?? 0;
  return { value: value.replaceAll('""', '"').trim(), end, lineEnds };
}

const isLineEnd = (character: string): boolean => character === '\n' || character === '\r';
