/** Films that a box has given up: kept on disk, so that a film that takes the process along is not tried for ever by the process that comes after. */
import type { MettleError } from '../../errors.ts';
import { DiskStore } from '../files/file-store.ts';

type Case = {
  /** Of the film; another one is another film. */
  mark: string;
  /** Times that it was begun and not finished. */
  tries: number;
  /** Why, as far as that is known. */
  problem: string;
};

const fileName = 'quarantine.json';
/** Beyond that the oldest cases are forgotten. */
const mostCases = 10_000;
/** A film whose process ended, or that stood still, is tried so often. */
const mostTries = 3;

/** A film's own fault, which no second attempt mends. */
const isOwnFault = ({ code }: MettleError): boolean =>
  ['not-media', 'empty-media', 'unsupported-codec', 'invalid-file', 'invalid-argument'].includes(code);

export class Quarantine {
  readonly #store: DiskStore;
  readonly #cases: Map<string, Case>;

  private constructor(store: DiskStore, cases: Map<string, Case>) {
    this.#store = store;
    this.#cases = cases;
  }

  /** A list that cannot be read counts as empty. */
  static async open(folder: string): Promise<Quarantine> {
    const store = new DiskStore(folder);
    return new Quarantine(store, new Map(Object.entries(await readCases(store))));
  }

  /** Whether this film, as it is now, was given up. */
  has(film: string, mark: string): boolean {
    const found = this.#cases.get(film);
    return found?.mark === mark && found.tries >= mostTries;
  }

  /** Noted before a film is begun, in case the process does not live to tell. */
  async begin(film: string, mark: string): Promise<void> {
    const before = this.#cases.get(film);
    const tries = before?.mark === mark ? before.tries + 1 : 1;
    await this.#set(film, { mark, tries, problem: 'the process ended while it was analyzed' });
  }

  async succeed(film: string): Promise<void> {
    this.#cases.delete(film);
    await this.#save();
  }

  /** Returns whether it is given up now. A failure that is not the film's, such as a full disk, does not count. */
  async fail(film: string, mark: string, error: MettleError): Promise<boolean> {
    const tries = this.#cases.get(film)?.tries ?? 1;
    if (error.code === 'write') await this.#set(film, { mark, tries: tries - 1, problem: error.message });
    else await this.#set(film, { mark, tries: isOwnFault(error) ? mostTries : tries, problem: error.message });
    return this.has(film, mark);
  }

  async #set(film: string, found: Case): Promise<void> {
    this.#cases.delete(film);
    this.#cases.set(film, found);
    for (const oldest of [...this.#cases.keys()].slice(0, Math.max(0, this.#cases.size - mostCases))) {
      this.#cases.delete(oldest);
    }
    await this.#save();
  }

  /** Where the disk is full the list is kept in memory. */
  async #save(): Promise<void> {
    const text = `${JSON.stringify(Object.fromEntries(this.#cases), null, 2)}\n`;
    await this.#store.save(fileName, new TextEncoder().encode(text)).catch(() => {});
  }
}

async function readCases(store: DiskStore): Promise<Record<string, Case>> {
  try {
    const bytes = await store.load(fileName);
    const found = bytes === null ? {} : JSON.parse(new TextDecoder().decode(bytes));
    const isCase = ({ mark, tries }: Case): boolean => typeof mark === 'string' && typeof tries === 'number';
    return Object.values<Case>(found).every(isCase) ? found : {};
  } catch {
    return {};
  }
}
