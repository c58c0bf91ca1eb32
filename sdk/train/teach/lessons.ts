/**
 * Examples that are kept until they are asked to go: in the browser's own storage, or a folder in Node. With them lies what `teach` has seen of them, so that a page that was closed
 * goes on where it was. Nothing leaves the device.
 */
import { bytesFor } from '#bytes';
import { checkOptions, type Rules, required, text } from '../../contract/options.ts';
import { parseJson } from '../../contract/parse-json.ts';
import type { Store } from '../../contract/store.ts';
import { throughDoor } from '../../door.ts';
import { MettleError } from '../../errors.ts';
import type { ProgressStore, TeachExample } from './options.ts';

/** What `openLessons` takes. */
export type LessonsOptions = {
  /** Name of the browser's store, or a folder in Node. Default, in a page alone: `mettle-edge-lessons`. */
  place?: string;
};

/** An example that is kept. */
export type KeptExample = {
  /** Names it in these lessons. */
  id: string;
  /** The event; null for nothing. */
  label: string | null;
  /** What it is called. */
  name: string;
  /** Media type of its file. */
  type: string;
  /** When it was added: milliseconds since 1970. */
  added: number;
};

/** Examples of one's own, and what was seen of them. */
export interface Lessons {
  /** Keeps a recording or a file. Rejects with `write` where there is no room. */
  add(example: {
    /** The event; null for nothing. */
    label: string | null;
    /** Its bytes, of a media type where that is known. */
    source: Blob;
    /** Default: the file's own name, else its label. */
    name?: string;
  }): Promise<KeptExample>;
  /** All of them, the first added first. */
  list(): Promise<KeptExample[]>;
  /** The file of one. Rejects with `not-found`. */
  open(id: string): Promise<Blob>;
  /** Removes one; one that is not there is no fault. The numbers that were seen of it go with `forget`. */
  remove(id: string): Promise<void>;
  /** Removes all of them, and all that was seen of them. */
  forget(): Promise<void>;
  /** What `teach` takes. */
  examples(): Promise<TeachExample[]>;
  /** What `teach` takes as `progress`. */
  readonly progress: ProgressStore;
}

const lessonsRules: Rules<LessonsOptions> = { place: text };
const addRules: Rules<Parameters<Lessons['add']>[0]> = {
  label: {
    expected: 'a text, or null for nothing',
    fits: (value) => value === null || text.fits(value),
    required: true,
  },
  source: required({ expected: 'a Blob', fits: (value) => value instanceof Blob }),
  name: text,
};

const [factsPrefix, filePrefix] = ['facts-', 'file-'];

/** Opens, and where they are new begins, the lessons of this browser or of a folder. Throws `incompatible` where the browser keeps nothing. */
export async function openLessons(options: LessonsOptions = {}): Promise<Lessons> {
  checkOptions(options, lessonsRules);
  return await throughDoor(undefined, async () => {
    const store = await bytesFor().openStore!(options.place ?? 'mettle-edge-lessons');
    return lessonsIn(store);
  });
}

function lessonsIn(store: Store): Lessons {
  const list = async (): Promise<KeptExample[]> => {
    const names = (await store.list()).map(({ name }) => name).filter((name) => name.startsWith(factsPrefix));
    const found = await Promise.all(names.map(async (name) => readFacts(await store.get(name), name)));
    return found.filter((facts) => facts !== null).sort((a, b) => a.added - b.added || (a.id < b.id ? -1 : 1));
  };
  const open = async (id: string): Promise<Blob> => {
    const facts = readFacts(await store.get(factsPrefix + id), id);
    const bytes = facts && (await store.get(filePrefix + id));
    if (!bytes)
      throw new MettleError('not-found', `There is no example "${id}".`, { hint: 'list() names those there are.' });
    return new Blob([bytes], { type: facts.type });
  };
  return {
    async add(example) {
      checkOptions(example, addRules, 'example');
      const { label, source } = example;
      const own = source as Blob & { name?: string };
      const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
        byte.toString(16).padStart(2, '0'),
      ).join('');
      const name = example.name ?? (own.name || (label ?? 'nothing'));
      const facts: KeptExample = { id, label, name, type: source.type, added: Date.now() };
      try {
        await store.put(filePrefix + id, new Uint8Array(await source.arrayBuffer()));
        // Last: what is not whole is not there.
        await store.put(factsPrefix + id, new TextEncoder().encode(JSON.stringify(facts)));
      } catch (cause) {
        await store.delete(filePrefix + id).catch(() => {});
        throw new MettleError('write', `The example cannot be kept in ${store.place}: ${(cause as Error).message}`, {
          hint: 'Make room, or remove examples that are not needed any more.',
          cause,
        });
      }
      return facts;
    },
    list,
    open,
    async remove(id) {
      await store.delete(factsPrefix + id);
      await store.delete(filePrefix + id);
    },
    async forget() {
      for (const { name } of await store.list()) await store.delete(name);
    },
    async examples() {
      const kept = await list();
      return await Promise.all(kept.map(async ({ id, label, name }) => ({ label, name, source: await open(id) })));
    },
    progress: {
      get: (name) => store.get(name),
      put: (name, bytes) => store.put(name, bytes),
      delete: (name) => store.delete(name),
    },
  };
}

/** Null for what is none. */
function readFacts(bytes: Uint8Array | null, where: string): KeptExample | null {
  if (!bytes) return null;
  try {
    const facts = parseJson(bytes, where) as KeptExample;
    const isOne = typeof facts?.id === 'string' && typeof facts.name === 'string' && typeof facts.added === 'number';
    return isOne ? facts : null;
  } catch {
    return null;
  }
}
