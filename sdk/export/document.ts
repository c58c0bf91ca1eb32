/** A results document read back: what `toJSON` made, perhaps by a later version, checked where the writers of this room rely on it. */
import { record } from '../contract/options.ts';
import { oneLine } from '../contract/plain-text.ts';
import { TASKS } from '../contract/task.ts';
import { MettleError } from '../errors.ts';
import type { TaskResult } from '../tasks/types.ts';

/**
 * The results in a parsed document, for `captions`, `toChapters`, `toCSV` and `toMarkers`; masks have no pixels. Throws `invalid-file` with the place of what is
 * wrong.
 */
export function fromJSON(document: unknown): TaskResult[] {
  const { format, version, results } = fields(document, 'the document');
  if (format !== 'mettle-edge/results' || version !== 1) {
    throw wrong(
      'the document',
      'no results of mettle-edge, version 1',
      'Name a results.json that "mettle run --out" wrote.',
    );
  }
  return many(results, 'results').map((result, index): TaskResult => {
    const at = `results[${index}]`;
    const all = fields(result, at);
    const { task, adapter, duration, warnings } = all;
    if (!TASKS.includes(task as TaskResult['task'])) throw wrong(`${at}.task`, `none of ${TASKS.join(', ')}`);
    text(adapter, `${at}.adapter`);
    seconds(duration, `${at}.duration`);
    for (const [w, warning] of many(warnings, `${at}.warnings`).entries()) fields(warning, `${at}.warnings[${w}]`);
    if (task !== 'segment') {
      for (const [e, event] of many(all.events, `${at}.events`).entries()) {
        checkEvent(event, `${at}.events[${e}]`, task === 'parse');
      }
    }
    return result as TaskResult;
  });
}

function checkEvent(event: unknown, at: string, parsed: boolean): void {
  const { label, start, end, confidence, modality } = fields(event, at);
  text(label, `${at}.label`);
  seconds(start, `${at}.start`);
  seconds(end, `${at}.end`);
  if ((end as number) < (start as number)) throw wrong(at, 'an event that ends before it begins');
  if (!(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)) {
    throw wrong(`${at}.confidence`, 'no number from 0 to 1');
  }
  if (parsed && !['audio', 'visual', 'audio-visual'].includes(modality as string)) {
    throw wrong(`${at}.modality`, 'none of audio, visual, audio-visual');
  }
}

function fields(value: unknown, at: string): Record<string, unknown> {
  if (!record.fits(value)) throw wrong(at, 'no object');
  return value as Record<string, unknown>;
}

function many(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(at, 'no list');
  return value;
}

function text(value: unknown, at: string): void {
  if (typeof value !== 'string') throw wrong(at, 'no text');
}

/** Ten million are four months: more than any clip, and short enough for every time code. */
function seconds(value: unknown, at: string): void {
  if (!(typeof value === 'number' && value >= 0 && value <= 1e7)) throw wrong(at, 'no number of seconds');
}

const wrong = (at: string, what: string, hint = ''): MettleError =>
  new MettleError('invalid-file', `Results: ${oneLine(at)} is ${what}.`, { hint });
