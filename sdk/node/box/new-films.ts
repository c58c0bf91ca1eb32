/** Films that arrive in a folder, each when it is whole: when its size and time have not changed for a while. */
import { watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { filmsIn } from '../batch/films.ts';

export type NewFilm = {
  path: string;
  /** Changes with the film. */
  mark: string;
};

export type FolderWatch = {
  folder: string;
  /** Seconds for which a film must not have changed. */
  settle: number;
  /** Whether a film has to be analyzed; asked at every look. */
  wanted: (film: NewFilm) => Promise<boolean>;
  /** Called at every look at the folder. */
  onLook: () => void;
  /** End when every film that was there is whole and given. */
  once: boolean;
  signal: AbortSignal;
};

/** Seconds between two looks where the system tells of no change, as on network drives. */
const longestWait = 30;

/** Never ends, unless asked to. One film at a time: the next look is taken when the caller comes back. Throws the signal's reason. */
export async function* newFilms(options: FolderWatch): AsyncGenerator<NewFilm> {
  const { folder, settle, wanted, once, signal } = options;
  const bell = new Bell(folder, signal);
  const seen = new Map<string, { mark: string; since: number }>();
  try {
    for (;;) {
      signal.throwIfAborted();
      options.onLook();
      bell.reset();
      const there = new Set<string>();
      let given = false;
      for (const path of await filmsIn(folder)) {
        signal.throwIfAborted();
        const mark = await markOf(path);
        if (mark === null || !(await wanted({ path, mark }))) continue;
        there.add(path);
        const before = seen.get(path);
        if (before?.mark !== mark) seen.set(path, { mark, since: performance.now() });
        else if (performance.now() - before.since >= settle * 1000) {
          seen.delete(path);
          there.delete(path);
          given = true;
          yield { path, mark };
        }
      }
      for (const path of seen.keys()) if (!there.has(path)) seen.delete(path);
      if (once && there.size === 0) return;
      if (!given) await bell.rung(there.size > 0 ? settle : longestWait);
    }
  } finally {
    bell.close();
  }
}

/** Null for a film that is gone, or holds nothing yet. */
const markOf = (path: string): Promise<string | null> =>
  stat(path).then(
    ({ size, mtimeMs }) => (size === 0 ? null : `${size}-${Math.floor(mtimeMs)}`),
    () => null,
  );

/** Rings when something changes in a folder, as far as the system tells. */
class Bell {
  readonly #signal: AbortSignal;
  readonly #watcher: { close(): void } | null;
  #change = new AbortController();

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = this.#listen(folder);
  }

  reset(): void {
    this.#change = new AbortController();
  }

  /** After a change or so many seconds, whatever comes first. Throws the signal's reason. */
  async rung(seconds: number): Promise<void> {
    const either = AbortSignal.any([this.#signal, this.#change.signal]);
    await setTimeout(seconds * 1000, undefined, { signal: either }).catch(() => {});
    this.#signal.throwIfAborted();
  }

  close(): void {
    this.#watcher?.close();
  }

  #listen(folder: string): { close(): void } | null {
    try {
      const watcher = watch(folder, { recursive: true }, () => this.#change.abort());
      // The folder is looked at all the same, only later.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }
}
