/** What kind of machine this is, and how much room it has. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem } from 'node:os';
import process from 'node:process';

/** Processor, system and how many logical cores may be used, in words: whoever reads a measured time must know where it was taken. Says nothing that tells one machine from its like. */
export function machineName(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() || 'unknown processor';
  return `${model}, ${process.platform} ${process.arch}, ${availableParallelism()} logical cores`;
}

export type MachineRoom = {
  /** Logical cores; in a container those that it may use. */
  cores: number;
  /** Bytes of memory that are free, or would be made so; in a container of what it may use. */
  freeBytes: number;
};

/** What this process may use. `root` is the folder that `/sys` lies in. */
export async function machineRoom(root = '/'): Promise<MachineRoom> {
  const cores = Math.min(availableParallelism(), (await containerCores(root)) ?? Number.POSITIVE_INFINITY);
  const limit = process.constrainedMemory?.() ?? 0;
  const free = freemem();
  // Where there is no limit, Node answers with 0 or with a number beyond all memory.
  return { cores, freeBytes: limit > 0 ? Math.min(free, limit - process.memoryUsage().rss) : free };
}

/** Whole cores of a container's share of time, at least one; null where it has no limit. */
async function containerCores(root: string): Promise<number | null> {
  const text = await readFile(`${root}sys/fs/cgroup/cpu.max`, 'utf8').catch(() => 'max');
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota && period ? Math.max(1, Math.floor(quota / period)) : null;
}
