/** The models that a command runs: the options that name them, and a session over them, with a word of what is loaded. */
import { DEFAULT_BACKBONE } from '../contract/registry.ts';
import type { Task } from '../contract/task.ts';
import { MettleError } from '../errors.ts';
import { HUB_HELP, HUB_OPTIONS, type HubFlags, readHub } from './hub-options.ts';
import { chooseAdapters } from './models.ts';
import { COMMON_OPTIONS, readBackbone, readDevice, readThreads } from './options.ts';
import type { ProgressBar } from './terminal.ts';
import type { CreateMettle, Io, MettleSession } from './types.ts';

export const SESSION_OPTIONS = {
  ...HUB_OPTIONS,
  device: COMMON_OPTIONS.device,
  backbone: { type: 'string', multiple: true },
  adapter: { type: 'string', multiple: true },
  threads: { type: 'string' },
} as const;

/** What they say in a help text, but where models come from. */
export const MODEL_HELP = `  --backbone ID       id, path or URL of the backbone (default: that of the adapters, else ${DEFAULT_BACKBONE}); given twice,
                      or as A,B, one for pictures and one for sounds; or names that "mettle backbone add" made
  --adapter ID        id, path or URL of an adapter; may be repeated (default: all shipped ones that fit)
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --threads N         threads of the CPU`;
export const SESSION_HELP = `${MODEL_HELP}
${HUB_HELP}`;

export type SessionFlags = HubFlags & { device?: string; backbone?: string[]; adapter?: string[]; threads?: string };
type Models = Omit<Parameters<CreateMettle>[0], 'signal' | 'onProgress'>;

/** What to load; without --adapter the shipped adapters for `tasks`, or all. Loads nothing yet. Throws `invalid-argument`, or `not-found` where a task has none. */
export async function readSession(
  command: string,
  flags: SessionFlags,
  tasks: readonly Task[] | undefined,
  io: Io,
): Promise<Models> {
  const device = readDevice(flags.device);
  const threads = readThreads(flags.threads);
  const backbone = flags.backbone && readBackbone(flags.backbone);
  const hub = await readHub(command, flags);
  const shipped = async (wanted: readonly Task[]) =>
    chooseAdapters(await io.listModels(io.signal), [backbone ?? DEFAULT_BACKBONE].flat().join('+'), wanted);
  const adapters = flags.adapter ?? (tasks && (await shipped(tasks)));
  return { ...hub, backbone, adapters, device, threads };
}

/** Loads them; dispose of the session. Throws `not-found` where no shipped adapter fits, or as `createMettle`. */
export async function openSession(models: Models, bar: ProgressBar | null, io: Io): Promise<MettleSession> {
  const session = await io.createMettle({
    ...models,
    signal: io.signal,
    onProgress: (progress) => {
      const { phase, done, total } = progress;
      if (phase === 'download') {
        const megabytes = `${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
        bar?.update(`Reading ${progress.model}`, done, total, megabytes);
      } else bar?.update(phase === 'load' ? 'Loading models' : 'Warming up', done, total, `${done}/${total}`);
    },
  });
  if (session.info().adapters.length > 0) return session;
  await session.dispose();
  throw new MettleError(
    'not-found',
    `No shipped adapter fits backbone "${[models.backbone ?? DEFAULT_BACKBONE].flat().join(' + ')}".`,
    {
      hint: 'Name one with --adapter.',
    },
  );
}
