/** What a platform keeps between runs: pieces of bytes by name. It knows no models and checks nothing; `hub/shelf.ts` does. */

export type StoredItem = { name: string; bytes: number };

export interface Store {
  /** Where it is, for people: a folder, or the name of a browser's store. */
  readonly place: string;
  /** Null where there is nothing of that name. */
  get(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Whole or not at all, whoever else writes the same name meanwhile. Rejects where there is no room, or no right to write. */
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(name: string): Promise<void>;
  list(): Promise<StoredItem[]>;
  /** Removes what writers that were killed left behind. */
  sweep(): Promise<void>;
}

/** Names are plain in every file system: letters, digits and `-`. */
export const storeName = /^[a-z0-9-]{1,100}$/;
