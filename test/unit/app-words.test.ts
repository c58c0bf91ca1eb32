/** What the app says of results: what is off-screen, what an adapter knows, what it kept silent about. */
import { describe, expect, test } from 'vitest';
import { offScreen } from '../../examples/app/offscreen.js';
import { familiarityWords, knownWords, scopeWords } from '../../examples/app/words.js';

describe('off-screen is what is heard and not seen at the same time', () => {
  const heard = { label: 'dog', start: 2, end: 8 };
  const seen = (label: string, start: number, end: number) => ({ label, start, end });

  test.for([
    { name: 'never seen', together: [], stretches: [[2, 8]] },
    { name: 'another thing seen', together: [seen('cat', 2, 8)], stretches: [[2, 8]] },
    { name: 'always seen', together: [seen('dog', 0, 9)], stretches: [] },
    { name: 'seen at first', together: [seen('dog', 2, 5)], stretches: [[5, 8]] },
    {
      name: 'seen twice, told out of order',
      together: [seen('dog', 6, 7), seen('dog', 3, 4)],
      stretches: [
        [2, 3],
        [4, 6],
        [7, 8],
      ],
    },
    { name: 'seen before and after', together: [seen('dog', 0, 2), seen('dog', 8, 9)], stretches: [[2, 8]] },
  ])('$name', ({ together, stretches }) => {
    expect(offScreen(heard, together).map(({ start, end }) => [start, end])).toEqual(stretches);
  });
});

describe('words', () => {
  const scope = { senses: ['audio' as const], world: 'Ten sounds.', unknown: 'Speech.' };

  test('of a scope, and of classes', () => {
    expect(scopeWords({ scope, task: 'localize' })).toBe('By sound alone. Ten sounds.');
    expect(scopeWords({ scope: null, task: 'segment' })).toBe('Marks the pixels that make the sound.');
    expect(scopeWords({ task: 'parse' })).toBe('Nobody said what it knows.');
    expect(knownWords({ scope, classes: ['Dog', 'Rain'] })).toBe('Names dog, rain. Does not know: Speech.');
    expect(knownWords({ classes: [] })).toBe('');
  });

  test('of silence and of familiarity, where they are measured', () => {
    const second = (familiarity: number | null) => ({ familiarity });
    expect(familiarityWords({ withheld: 3, seconds: [second(0)] })).toMatch(/^Silent for 3 s, which are unlike/);
    expect(familiarityWords({ withheld: 0, seconds: [second(0.2), second(null), second(0.6)] })).toContain('40%');
    const bySense = { familiarity: { audio: 0.5, visual: 0.1 } };
    expect(familiarityWords({ withheld: 0, seconds: [bySense] })).toContain('10%');
    expect(familiarityWords({ seconds: [{}] })).toBe('');
  });
});
