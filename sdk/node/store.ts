/** What Node keeps: files in one folder. Each is written beside its place and moved there when it is whole, so that several processes may share the folder. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Store, StoredItem } from '../contract/store.ts';
import { storeName } from '../contract/store.ts';

/** What a killed writer left is somebody else's work for so long. */
const unfinishedMs = 3_600_000;

export async function openFolderStore(place: string = defaultFolder()): Promise<Store> {
  const folder = resolve(place);
  const pathOf = (name: string): string => join(folder, name);
  return {
    place: folder,
    async get(name) {
      const bytes = await readFile(pathOf(name)).catch(ignoreAbsent);
      return bytes ? new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength) : null;
    },
    async put(name, bytes) {
      await mkdir(folder, { recursive: true });
      const draft = pathOf(`.${name}.${process.pid}-${randomUUID().slice(0, 8)}.part`);
      try {
        await writeFile(draft, bytes, { flag: 'wx' });
        await rename(draft, pathOf(name));
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw error;
      }
    },
    async delete(name) {
      await rm(pathOf(name), { force: true });
    },
    async list() {
      const items: StoredItem[] = [];
      for (const name of await namesIn(folder)) {
        if (!storeName.test(name)) continue;
        const stats = await stat(pathOf(name)).catch(ignoreAbsent);
        if (stats?.isFile()) items.push({ name, bytes: stats.size });
      }
      return items;
    },
    async sweep() {
      for (const name of await namesIn(folder)) {
        if (!/^\..*\.part$/.test(name)) continue;
        const stats = await stat(pathOf(name)).catch(ignoreAbsent);
        if (stats && Math.abs(Date.now() - stats.mtimeMs) > unfinishedMs) await rm(pathOf(name), { force: true });
      }
    },
  };
}

/** $METTLE_CACHE, else where the operating system wants caches to be. */
export function defaultFolder(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  if (env.METTLE_CACHE) return env.METTLE_CACHE;
  const name = 'mettle-edge';
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, name);
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), name, 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', name);
  return join(homedir(), '.cache', name);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ignoreAbsent)) ?? [];
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
