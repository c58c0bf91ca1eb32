/** What the commands need from outside: where to write, and the SDK's public door, so that tests can give their own. */
import type { Analysis } from '../analyze.ts';
import type { Segment } from '../contract/clip.ts';
import type { DeviceRequest } from '../contract/device.ts';
import type { EngineInfo } from '../contract/engine-info.ts';
import type { Unfamiliar } from '../contract/familiar.ts';
import type { Scope } from '../contract/manifest.ts';
import type { Task } from '../contract/task.ts';
import type { HubOptions } from '../hub/access.ts';
import type { Moment } from '../live/watch.ts';
import type { CreateProgress } from '../load.ts';
import type { AdapterLocation } from '../residents.ts';
import type { Embedding } from '../tasks/similar.ts';

/** A terminal or a pipe. */
export type Output = { write(text: string): unknown; isTTY?: boolean; columns?: number };

export type CliIo = {
  stdout: Output;
  stderr: Output;
  /** What is piped in. */
  stdin?: AsyncIterable<string | Uint8Array>;
  /** Environment variables, such as `NO_COLOR`. */
  env?: Record<string, string | undefined>;
  /** Puts a question to whoever sits at the terminal; absent where there is none. */
  ask?: (question: string) => Promise<string>;
  /** Aborted on Ctrl-C. */
  signal?: AbortSignal;
  /** Default: that of the SDK. */
  createMettle?: CreateMettle;
  /** Default: the models that ship with the SDK. */
  listModels?: (signal?: AbortSignal) => Promise<ShippedModel[]>;
};

/** `io` with nothing left out but a terminal. */
export type Io = Required<Omit<CliIo, 'signal' | 'ask'>> & { signal: AbortSignal; ask?: CliIo['ask'] };

export type ShippedModel =
  | { kind: 'backbone'; id: string; version: string; untrained: boolean }
  | {
      kind: 'adapter';
      id: string;
      version: string;
      untrained: boolean;
      task: Task;
      backbone: string;
      scope: Scope | null;
      /** Whether it measures how familiar a second is. */
      keepsSilent: boolean;
    };

export type CreateMettle = (
  options: HubOptions & {
    backbone?: string | readonly [string, string];
    adapters?: readonly AdapterLocation[];
    device?: DeviceRequest;
    threads?: number;
    signal?: AbortSignal;
    onProgress?: (progress: CreateProgress) => void;
  },
) => Promise<MettleSession>;

/** The part of `Mettle` that the commands use. */
export interface MettleSession {
  info(): EngineInfo;
  analyze(
    source: string,
    options: {
      tasks?: Task[];
      unfamiliar?: Unfamiliar;
      explain?: boolean;
      signal?: AbortSignal;
      onProgress?: (progress: { phase: 'segments'; done: number; total: number }) => void;
      onSegment?: (segment: Segment) => void;
      thumbnailHeight?: number;
    },
  ): Promise<Readonly<Analysis>>;
  embed(source: string, options: { signal?: AbortSignal }): Promise<Embedding>;
  watch(
    source: string,
    options: { hop?: number; tasks?: Task[]; signal?: AbortSignal },
  ): AsyncIterable<Readonly<Moment>>;
  dispose(): Promise<void>;
}
