/**
 * Small strict checks over parsed JSON, put together into schemas: every field must be there and of its type, and no other may be. A value that breaks
 * a rule is an `invalid-file` error that says where it stands. Not a general validator: it holds what manifests and registries need.
 */
import { MettleError } from '../errors.ts';

/** JSON Schema of draft 2020-12, as far as it is used here. */
export type Schema = { readonly [keyword: string]: unknown };

/** Turns a JSON value at a path into a typed one, or throws; `schema` says the same of it for other tools, as far as they can. */
export type Check<T> = ((value: unknown, at: Place) => T) & { readonly schema: Schema };

/** A check of one's own. */
export function check<T>(schema: Schema, read: (value: unknown, at: Place) => T): Check<T> {
  return Object.assign((value: unknown, at: Place) => read(value, at), { schema });
}

/** The document, for errors, and the path of a value in it: `files[2].path`. */
export class Place {
  constructor(
    readonly where: string,
    readonly path = '',
  ) {}

  field(name: string): Place {
    const text = /^[A-Za-z_][\w-]{0,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
    return new Place(this.where, this.path ? `${this.path}.${text}` : text);
  }

  index(index: number): Place {
    return new Place(this.where, `${this.path}[${index}]`);
  }

  /** An error about the value here. */
  error(problem: string, hint?: string): MettleError {
    return new MettleError('invalid-file', `${this.where}: ${this.path ? `${this.path}: ` : ''}${problem}.`, { hint });
  }

  expected(what: string, value: unknown): MettleError {
    return this.error(`expected ${what}, got ${describe(value)}`);
  }
}

type Required<T> = { [K in keyof T as undefined extends T[K] ? never : K]: Check<T[K]> };
type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]-?: Check<NonNullable<T[K]>> };

/** An object with exactly these fields, and those of `optional` or not. */
export function object<T extends object>(fields: { [K in keyof T]: Check<T[K]> }): Check<T>;
export function object<T extends object>(fields: Required<T>, optional: Optional<T>): Check<T>;
export function object<T extends object>(fields: object, optional: object = {}): Check<T> {
  const all: Record<string, Check<unknown>> = { ...fields, ...optional };
  const schema = {
    type: 'object',
    properties: Object.fromEntries(Object.entries(all).map(([name, { schema }]) => [name, schema])),
    required: Object.keys(fields),
    additionalProperties: false,
  };
  return check(schema, (value, at) => {
    const source = plainObject(value, at);
    for (const name of Object.keys(source)) {
      if (!Object.hasOwn(all, name)) throw at.field(name).error('unknown field');
    }
    const result: Record<string, unknown> = {};
    for (const [name, read] of Object.entries(all)) {
      if (Object.hasOwn(source, name)) result[name] = read(source[name], at.field(name));
      else if (Object.hasOwn(fields, name)) throw at.field(name).error('missing');
    }
    return result as T;
  });
}

/** An object from names, which `name` checks, to values. */
export function dictionary<T>(name: RegExp, item: Check<T>): Check<Record<string, T>> {
  const schema = { type: 'object', propertyNames: { pattern: name.source }, additionalProperties: item.schema };
  return check(schema, (value, at) => {
    const result: Record<string, T> = {};
    for (const [key, member] of Object.entries(plainObject(value, at))) {
      if (!name.test(key)) throw at.field(key).error(`expected a name like ${name.source}`);
      result[key] = item(member, at.field(key));
    }
    return result;
  });
}

/** A list of at least `min` items. With `key`, no two items may have the same. */
export function list<T>(
  item: Check<T>,
  { min = 0, key }: { min?: number; key?: (item: T) => unknown } = {},
): Check<T[]> {
  const schema = { type: 'array', items: item.schema, minItems: min, ...(key && { uniqueItems: true }) };
  return check(schema, (value, at) => {
    if (!Array.isArray(value)) throw at.expected('a list', value);
    if (value.length < min) throw at.error(`expected at least ${min} item${min > 1 ? 's' : ''}, got ${value.length}`);
    const items = value.map((member, index) => item(member, at.index(index)));
    const seen = new Set<unknown>();
    if (key) {
      items.forEach((member, index) => {
        if (seen.has(key(member))) throw at.index(index).error(`${describe(key(member))} stands here twice`);
        seen.add(key(member));
      });
    }
    return items;
  });
}

/** A list of exactly `length` items. */
export function tuple<T extends unknown[]>(length: T['length'], item: Check<T[number]>): Check<T> {
  const schema = { type: 'array', items: item.schema, minItems: length, maxItems: length };
  return check(schema, (value, at) => {
    if (!Array.isArray(value) || value.length !== length) throw at.expected(`a list of ${length}`, value);
    return value.map((member, index) => item(member, at.index(index))) as T;
  });
}

export function nullable<T>(item: Check<T>): Check<T | null> {
  const schema = { anyOf: [{ type: 'null' }, item.schema] };
  return check(schema, (value, at) => (value === null ? null : item(value, at)));
}

export function oneOf<const T extends string | number>(...options: T[]): Check<T> {
  return check({ enum: options }, (value, at) => {
    if (options.includes(value as T)) return value as T;
    throw at.expected(options.map((option) => JSON.stringify(option)).join(' or '), value);
  });
}

/** A finite number from `min` to `max`. */
export function number(min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Check<number> {
  const schema = {
    type: 'number',
    ...(min > -Number.MAX_VALUE && { minimum: min }),
    ...(max < Number.MAX_VALUE && { maximum: max }),
  };
  return check(schema, (value, at) => {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    const bounds =
      min === -Number.MAX_VALUE ? '' : max === Number.MAX_VALUE ? ` from ${min}` : ` from ${min} to ${max}`;
    throw at.expected(`a number${bounds}`, value);
  });
}

/** A safe integer from `min` to `max`. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Check<number> {
  return check({ type: 'integer', minimum: min, maximum: max }, (value, at) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    throw at.expected(`an integer from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}`, value);
  });
}

export const boolean: Check<boolean> = check({ type: 'boolean' }, (value, at) => {
  if (typeof value === 'boolean') return value;
  throw at.expected('true or false', value);
});

/** Text that is not empty. */
export const text: Check<string> = check({ type: 'string', pattern: '\\S' }, (value, at) => {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw at.expected('a text', value);
});

/** Text of this form; `what` describes it. */
export function matching<T extends string = string>(pattern: RegExp, what: string): Check<T> {
  return check({ type: 'string', pattern: pattern.source, description: what }, (value, at) => {
    if (typeof value === 'string' && pattern.test(value)) return value as T;
    throw at.expected(what, value);
  });
}

/** A value for an error message, never long. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return String(value);
}

function plainObject(value: unknown, at: Place): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw at.expected('an object', value);
}

/** Throws where a figure that memory follows from is larger than its limit. */
export function atMost(what: string, figure: number, limit: number, at: Place): void {
  if (figure > limit) throw at.error(`expected at most ${limit} ${what}, got ${figure}`);
}
