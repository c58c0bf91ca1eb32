/** Collects findings so that one cause gives one entry, however many files it concerns. */
import type { Finding } from './types.ts';

const shown = 5;

export class FindingList {
  readonly #entries = new Map<string, { finding: Finding; places: string[]; count: number }>();

  /** Notes a finding; the same level, code and message again adds a place to it. */
  add(level: Finding['level'], code: string, message: string, where = ''): void {
    const key = JSON.stringify([level, code, message]);
    const entry = this.#entries.get(key) ?? { finding: { level, code, message, where }, places: [], count: 0 };
    entry.count++;
    if (where !== '' && entry.places.length < shown) entry.places.push(where);
    this.#entries.set(key, entry);
  }

  /** As {@link sortFindings}, each level in the order of first notice. */
  list(): Finding[] {
    const findings = [...this.#entries.values()].map(({ finding, places, count }) => {
      const more = count - places.length;
      const where = places.length === 0 ? '' : `${places.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
      return { ...finding, where };
    });
    return sortFindings(findings);
  }
}

/** Errors first, then warnings, then information; else as they were. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const rank = { error: 0, warning: 1, info: 2 };
  return [...findings].sort((a, b) => rank[a.level] - rank[b.level]);
}
