/** Events as a table, for spreadsheets. */
import { oneLine } from '../contract/plain-text.ts';
import { foundEvents, type Results, resultsOf } from '../tasks/given.ts';

const columns = ['start', 'end', 'label', 'modality', 'confidence', 'adapter'] as const;

/**
 * Events of all results as CSV (RFC 4180, lines end with CR LF), one row each by start time: seconds with three decimals, `audio`, `visual` or `audio-visual`, and a
 * confidence from 0 to 1. A text that a spreadsheet would take for a formula has an apostrophe before it. Throws `invalid-argument`.
 */
export function toCSV(from: Results): string {
  const rows = foundEvents(resultsOf(from)).map(({ start, end, label, modality, confidence, adapter }) => [
    start.toFixed(3),
    end.toFixed(3),
    field(label),
    modality,
    confidence.toFixed(4),
    field(adapter),
  ]);
  return [columns, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

function field(text: string): string {
  const harmless = oneLine(text).replace(/^(?=[=+\-@])/, "'");
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
