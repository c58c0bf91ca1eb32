/**
 * Options of public calls: each option type has one table here or beside it that says what may stand in it, and one function reads them all. What is unknown is
 * refused with the name that was probably meant, what has the wrong type with what was expected. Checked at the doors alone; inside, types are trusted.
 */
import { didYouMean } from '../did-you-mean.ts';
import { MettleError } from '../errors.ts';

/** What one option may be. */
export type Rule = {
  /** Completes "must be". */
  expected: string;
  fits(value: unknown): boolean;
  /** Words it may be, of which one was perhaps meant. */
  words?: readonly string[];
  required?: boolean;
};

/** One rule for each field of `T`, no more and no less. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule };

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isList = (value: unknown, fits: (item: unknown) => boolean): boolean => Array.isArray(value) && value.every(fits);

export const anything: Rule = { expected: 'anything', fits: () => true };
export const text: Rule = { expected: 'a text that is not empty', fits: isText };
export const texts: Rule = { expected: 'a list of texts', fits: (value) => isList(value, isText) };
export const flag: Rule = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
export const callback: Rule = { expected: 'a function', fits: (value) => typeof value === 'function' };
export const list: Rule = { expected: 'a list', fits: Array.isArray };
export const record = { expected: 'an object', fits: isRecord };
/** Of whichever realm or library: an `instanceof` would refuse those of another frame. */
export const signal: Rule = {
  expected: 'an AbortSignal, such as controller.signal',
  fits: (value) =>
    record.fits(value) &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function',
};

/** A finite number with both ends included; `what` adds a unit, e.g. `a number of seconds`. */
export const number = (least = -Infinity, most = Infinity, what = 'a number'): Rule => ({
  expected: what + bounds(least, most),
  fits: (value) => typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most,
});

export const positive = (what = 'a number'): Rule => ({
  expected: `${what} above 0`,
  fits: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
});

export const whole = (least = 0, most = Number.MAX_SAFE_INTEGER): Rule => ({
  expected: `a whole number${bounds(least, most === Number.MAX_SAFE_INTEGER ? Infinity : most)}`,
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
});

export const oneOf = (...words: readonly string[]): Rule => ({
  expected: words.length === 1 ? JSON.stringify(words[0]) : `one of ${words.join(', ')}`,
  fits: (value) => words.includes(value as string),
  words,
});

export const someOf = (...words: readonly string[]): Rule => ({
  expected: `a list of some of ${words.join(', ')}`,
  fits: (value) => isList(value, (item) => words.includes(item as string)),
  words,
});

/** An object with the fields of another table, checked along with the one that it stands in. */
export const nested = <T>(rules: Rules<T>): Rule & { rules: Rules<T> } => ({ ...record, rules });

/** What `rule` says, or `word`. */
export const either = (word: null | false, rule: Rule): Rule => ({
  ...rule,
  expected: `${rule.expected}, or ${word}`,
  fits: (value) => value === word || rule.fits(value),
});

export const required = (rule: Rule): Rule => ({ ...rule, required: true });

/**
 * Throws `invalid-argument` unless `given` is an object whose fields all have a rule and fit it; one that is undefined counts as left out. `name` is what messages
 * call it. Left out altogether, it has no fields.
 */
export function checkOptions<T>(given: unknown, rules: Rules<T>, name = 'options'): void {
  if (given !== undefined && !record.fits(given)) throw wrong(name, record, given);
  const fields = (given ?? {}) as Record<string, unknown>;
  const known = Object.keys(rules);
  for (const key of Object.keys(fields)) {
    if (Object.hasOwn(rules, key)) continue;
    throw new MettleError('invalid-argument', `${name}.${key.slice(0, 60)} is unknown.${didYouMean(key, known)}`, {
      hint: `There is ${known.join(', ')}.`,
    });
  }
  for (const [key, rule] of Object.entries<Rule & { rules?: Rules<unknown> }>(rules)) {
    const value = fields[key];
    if (value === undefined && !rule.required) continue;
    if (!rule.fits(value)) throw wrong(`${name}.${key}`, rule, value);
    if (rule.rules && value !== null) checkOptions(value, rule.rules, `${name}.${key}`);
  }
}

/** Throws `invalid-argument` unless `value`, an argument called `name`, fits. */
export function checkArgument(value: unknown, rule: Rule, name: string): void {
  if (!rule.fits(value)) throw wrong(name, rule, value);
}

function wrong(name: string, { expected, words }: Rule, value: unknown): MettleError {
  const written = [value].flat().find((word) => typeof word === 'string' && !words?.includes(word));
  const meant = words && typeof written === 'string' ? didYouMean(written, words) : '';
  return new MettleError('invalid-argument', `${name} must be ${expected}, not ${describe(value)}.${meant}`);
}

function bounds(least: number, most: number): string {
  if (Number.isFinite(least)) return Number.isFinite(most) ? ` from ${least} to ${most}` : ` from ${least} on`;
  return Number.isFinite(most) ? ` of at most ${most}` : '';
}

/** A value as a message names it, never long. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) {
    const items = value.slice(0, 4).map(describe);
    return `[${items.join(', ')}${value.length > items.length ? ', …' : ''}]`;
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'symbol' ? 'a symbol' : `${value}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return kind === 'Object' ? 'an object' : `a ${kind}`;
}
