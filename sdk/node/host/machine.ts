/** What kind of machine this is, in words: whoever reads a measured time must know where it was taken. Says nothing that tells one machine from its like. */
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';

/** Processor, system and how many logical cores may be used. */
export function machineName(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() || 'unknown processor';
  return `${model}, ${process.platform} ${process.arch}, ${availableParallelism()} logical cores`;
}
