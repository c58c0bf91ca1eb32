/**
 * Messages that wait for a broker, in a folder, oldest first, so that neither a lost connection nor a lost process loses them. Bounded: beyond its room the oldest go, and are
 * counted. A full disk is survived in memory, as far as that is bounded too.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MettleError } from '../../errors.ts';
import { DiskStore } from '../files/file-store.ts';

export type Message = {
  /** Two messages of one id are the same message. */
  id: string;
  topic: string;
  payload: string;
};

type Entry = { file: string; bytes: number; message: Message | null };

/** What a file takes on most disks, however short it is. */
const block = 4096;
/** Messages that a full disk leaves in memory. */
const mostInMemory = 1000;
const filePattern = /^(\d{15})-([0-9a-f]{24})\.json$/;

export class DiskQueue {
  readonly #folder: string;
  readonly #store: DiskStore;
  readonly #room: number;
  readonly #entries: Entry[];
  #next: number;
  #bytes: number;
  #dropped = 0;

  private constructor(folder: string, room: number, entries: Entry[]) {
    this.#folder = folder;
    this.#store = new DiskStore(folder);
    this.#room = room;
    this.#entries = entries;
    this.#next = 1 + Number(filePattern.exec(entries.at(-1)?.file ?? '')?.[1] ?? 0);
    this.#bytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What an earlier process left in `folder` comes first. `room` is in bytes. Throws `write` where the folder cannot be made. */
  static async open(folder: string, room: number): Promise<DiskQueue> {
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw new MettleError('write', `${folder} cannot be made: ${(cause as Error).message}.`, {
        hint: 'Name a folder that you may write to.',
        cause,
      });
    });
    const files = (await readdir(folder)).filter((name) => filePattern.test(name)).sort();
    const entries = files.map(async (file) => {
      const { size } = await stat(join(folder, file));
      return { file, bytes: blocks(size), message: null };
    });
    return new DiskQueue(folder, room, await Promise.all(entries));
  }

  /** Messages that wait. */
  get size(): number {
    return this.#entries.length;
  }

  /** Messages that were lost for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps a message, unless one of its id waits already. Resolves to false where the disk did not take it and it waits in memory. */
  async add(message: Message): Promise<boolean> {
    const mark = createHash('sha256').update(message.id).digest('hex').slice(0, 24);
    if (this.#entries.some(({ file }) => file.includes(mark))) return true;
    const file = `${String(this.#next++).padStart(15, '0')}-${mark}.json`;
    const entry = { file, bytes: blocks(JSON.stringify(message).length), message };
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    await this.#makeRoom();
    return await this.#spill();
  }

  /** The oldest, which stays until it is removed; null where there is none. What was damaged since it was written is passed over. */
  async first(): Promise<{ file: string; message: Message } | null> {
    for (let entry = this.#entries[0]; entry; entry = this.#entries[0]) {
      const message = entry.message ?? (await this.#read(entry.file));
      if (message) return { file: entry.file, message };
      await this.remove(entry.file);
    }
    return null;
  }

  /** A broker has it. */
  async remove(file: string): Promise<void> {
    const at = this.#entries.findIndex((entry) => entry.file === file);
    if (at < 0) return;
    const [entry] = this.#entries.splice(at, 1);
    this.#bytes -= entry!.bytes;
    await rm(join(this.#folder, file), { force: true });
  }

  async #makeRoom(): Promise<void> {
    const inMemory = (): number => this.#entries.filter(({ message }) => message).length;
    while (this.#entries.length > 1 && (this.#bytes > this.#room || inMemory() > mostInMemory)) {
      this.#dropped++;
      await this.remove(this.#entries[0]!.file);
    }
  }

  /** Writes what is in memory alone. */
  async #spill(): Promise<boolean> {
    for (const entry of this.#entries.filter(({ message }) => message)) {
      try {
        await this.#store.save(entry.file, new TextEncoder().encode(JSON.stringify(entry.message)));
        entry.message = null;
      } catch {
        return false;
      }
    }
    return true;
  }

  async #read(file: string): Promise<Message | null> {
    try {
      const { id, topic, payload } = JSON.parse(await readFile(join(this.#folder, file), 'utf8'));
      return [id, topic, payload].every((text) => typeof text === 'string') ? { id, topic, payload } : null;
    } catch {
      return null;
    }
  }
}

const blocks = (bytes: number): number => Math.ceil(bytes / block) * block;
