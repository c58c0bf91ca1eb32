/** A disk of so many bytes, for what happens when it is full. Needs the right to mount one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TinyDisk = { path: string; remove(): void };

/** Null where this process may not mount. */
export function tinyDisk(bytes: number): TinyDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'mettle-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    rmSync(path, { recursive: true });
    return null;
  }
  return {
    path,
    remove() {
      execFileSync('umount', [path]);
      rmSync(path, { recursive: true });
    },
  };
}
