/** Options of the commands that analyze many films: what is asked of each, and with which models. */
import { UNFAMILIAR } from '../contract/familiar.ts';
import { captionLanguages } from '../export/index.ts';
import type { BatchModels, Wish } from '../node/batch/recipe.ts';
import { readChoice, readNumber, readTasks } from './options.ts';
import { readSession, SESSION_HELP, SESSION_OPTIONS, type SessionFlags } from './session.ts';
import type { Io } from './types.ts';

export const WISH_OPTIONS = {
  ...SESSION_OPTIONS,
  tasks: { type: 'string' },
  unfamiliar: { type: 'string' },
  captions: { type: 'string' },
} as const;

export const WISH_HELP = `  --tasks LIST        localize, parse, segment, separated by commas (default: all that the adapters can); segment writes a
                      picture per second
  --captions NAME     captions of sounds too, in en, de or fr
  --unfamiliar NAME   withhold or show, as in "mettle run" (default: withhold)
${SESSION_HELP}`;

export type WishFlags = SessionFlags & { tasks?: string; unfamiliar?: string; captions?: string };

/** Throws `invalid-argument`, or as `readSession`. */
export async function readWish(
  command: string,
  flags: WishFlags,
  io: Io,
): Promise<{ models: BatchModels; wish: Wish }> {
  const wish = {
    tasks: readTasks(flags.tasks),
    unfamiliar: readChoice('unfamiliar', flags.unfamiliar, UNFAMILIAR),
    captions: readChoice('captions', flags.captions, captionLanguages),
  };
  return { models: await readSession(command, flags, wish.tasks, io), wish };
}

/** Processes at work; undefined where the machine decides. */
export const readWorkers = (command: string, value: string | undefined): number | undefined =>
  value === undefined ? undefined : readNumber(command, 'workers', value, { least: 1, most: 1024 });
