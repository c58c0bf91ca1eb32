/** Events of a running source: when they begin and end, and that a single doubtful moment changes nothing. */
import { expect, test } from 'vitest';
import { EventTracker, type Steadiness } from '../../sdk/live/tracker.ts';
import type { LocalizationResult } from '../../sdk/tasks/types.ts';

const hop = 0.5;

/** One letter per moment: `x` where the adapter says the event, `.` where not. Gives `+`, `=`, `-` or ` ` for began, ongoing, ended, nothing. */
function follow(said: string, steadiness: Steadiness = { begin: 0.5, end: 1 }): { told: string; spans: number[][] } {
  const tracker = new EventTracker(steadiness);
  const spans: number[][] = [];
  let told = '';
  for (const [index, letter] of [...said].entries()) {
    const span = { start: index * hop, end: (index + 1) * hop };
    const event = { label: 'dog', classIndex: 0, ...span, resolution: 1, confidence: 0.8 };
    const result: LocalizationResult = {
      task: 'localize',
      adapter: 'a',
      duration: hop,
      untrained: false,
      scope: null,
      withheld: 0,
      warnings: [],
      classes: ['dog'],
      seconds: [],
      events: letter === 'x' ? [event] : [],
    };
    const { began, ongoing, ended } = tracker.next(span, [result]);
    expect(began.length + ongoing.length + ended.length).toBeLessThanOrEqual(1);
    told += began.length ? '+' : ongoing.length ? '=' : ended.length ? '-' : ' ';
    for (const { start, end } of ended) spans.push([start, end]);
  }
  for (const { start, end } of tracker.finish().ended) spans.push([start, end]);
  return { told, spans };
}

test.each([
  ['xxx..', '+===-', [[0, 1.5]]],
  ['x.x...', '+===-', [[0, 1.5]]],
  ['....', '', []],
  ['..xx', '  +=', [[1, 2]]],
])('%s', (said, told, spans) => {
  const found = follow(said);
  expect(found.told.trimEnd()).toBe(told.trimEnd());
  expect(found.spans).toEqual(spans);
});

test('what must last longer to begin begins late, with its true start; what does not is never told', () => {
  const slow = { begin: 1, end: 0.5 };
  expect(follow('xxx.', slow)).toEqual({ told: ' +=-', spans: [[0, 1.5]] });
  expect(follow('x.x.', slow)).toEqual({ told: '    ', spans: [] });
});
