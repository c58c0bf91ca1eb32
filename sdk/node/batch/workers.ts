/** How many processes a machine can have at work, by cores and memory. */
import type { DeviceRequest } from '../../contract/device.ts';
import type { MachineRoom } from '../host/machine.ts';

/** Bytes that a process takes beside its models: runtime, decoders and a second of film. Measured with the shipped ones, see `docs/fleet.md`. */
const processBytes = 600e6;
/** Copies of a model's bytes that are in memory while it is loaded: the file and what the runtime makes of it. */
const modelCopies = 3;
/** Share of the free memory that is taken. */
const share = 0.8;

export type WorkerCount = { workers: number; threads: number; reason: string };

/** One process per core where memory allows, each with one thread; on a GPU one process, unless others are asked for. */
export function workerCount(
  { cores, freeBytes }: MachineRoom,
  modelBytes: number,
  given: { workers?: number; threads?: number; device?: DeviceRequest },
): WorkerCount {
  const each = processBytes + modelCopies * modelBytes;
  const fitting = Math.max(1, Math.floor((share * freeBytes) / each));
  const onGpu = given.device === 'webgpu' || given.device === 'cuda';
  const workers = given.workers ?? (onGpu ? 1 : Math.min(cores, fitting));
  const threads = given.threads ?? Math.max(1, Math.floor(cores / workers));
  const why = given.workers
    ? 'as asked'
    : onGpu
      ? 'one for the GPU'
      : fitting < cores
        ? `memory for ${fitting}`
        : `${cores} cores`;
  return { workers, threads, reason: why };
}
