/**
 * Where results lie until they are whole: folders and files beside their place, whose name tells who made them. What a killed process left behind is removed by the next one
 * that stages for the same place; what another process still works on stays.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Of this machine: folders may be shared, and process numbers are its own. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
const longest = 100;
const tag = /\.([0-9a-f]{6})-(\d{1,10})-[0-9a-f]{8}\.part(\.old)?$/;

/** A name of its own for what will be called `name`. */
export const stagingName = (name: string): string =>
  `.${name.slice(0, longest)}.${machine}-${process.pid}-${randomBytes(4).toString('hex')}.part`;

/**
 * Removes from `folder` what processes that are gone staged for `name`. Where one was ended between moving the old result away and the new one in, the old one goes back. Never
 * throws: what cannot be removed does no harm.
 */
export async function removeStale(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const match = tag.exec(entry);
    if (!match || entry.slice(1, match.index) !== name.slice(0, longest)) continue;
    if (match[1] !== machine || isAlive(Number(match[2]))) continue;
    const isThere = await stat(join(folder, name)).catch(() => null);
    if (match[3] && !isThere) await rename(join(folder, entry), join(folder, name)).catch(() => {});
    else await rm(join(folder, entry), { recursive: true, force: true }).catch(() => {});
  }
}

/** As `removeStale`, whatever was staged in `folder`. */
export async function removeAllStale(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).map((entry) => ({ entry, match: tag.exec(entry) }));
  for (const { entry, match } of names) {
    if (match && match[1] === machine && !isAlive(Number(match[2]))) {
      await rm(join(folder, entry), { recursive: true, force: true }).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
