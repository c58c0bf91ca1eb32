/** A folder in which films arrive: each is analyzed when it is whole, and its results are written beside it and told to the broker. */
import { relative } from 'node:path';
import type { Task } from '../../contract/task.ts';
import { MettleError } from '../../errors.ts';
import { foundEvents } from '../../tasks/given.ts';
import { nameOf } from '../output/film-name.ts';
import { isAnalyzed, writeBeside } from './beside.ts';
import type { Box } from './box.ts';
import { filmMessages } from './messages.ts';
import { type NewFilm, newFilms } from './new-films.ts';
import { Quarantine } from './quarantine.ts';
import type { BoxSession } from './types.ts';

export type FolderJob = {
  folder: string;
  tasks?: Task[];
  /** Seconds for which a film must not have changed. */
  settle: number;
  /** End when all that was there is done. */
  once: boolean;
  signal: AbortSignal;
  /** A film is done. */
  onFilm: (film: string, seconds: number, events: number) => void;
};

/** Seconds until a film that failed, but is not given up, is tried again. */
const rest = 30;

/** Returns how many films failed, where it ends by itself. Throws the signal's reason, and faults of ours. */
export async function watchFolder(box: Box, session: BoxSession, job: FolderJob): Promise<number> {
  const { folder, settle, once, signal } = job;
  const quarantine = await Quarantine.open(box.state);
  const resting = new Map<string, number>();
  let failed = 0;
  const wanted = async ({ path, mark }: NewFilm): Promise<boolean> =>
    !quarantine.has(path, mark) && !((resting.get(path) ?? 0) > performance.now()) && !(await isAnalyzed(path));
  const onLook = (): void => {
    for (const [path, until] of resting) if (until <= performance.now()) resting.delete(path);
    box.alive();
  };
  for await (const film of newFilms({ folder, settle, wanted, onLook, once, signal })) {
    await quarantine.begin(film.path, film.mark);
    try {
      await analyze(box, session, film, job);
      await quarantine.succeed(film.path);
      box.trouble('disk', null);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MettleError)) throw error;
      failed++;
      const givenUp = await quarantine.fail(film.path, film.mark, error);
      if (givenUp) box.counts.quarantined++;
      else resting.set(film.path, performance.now() + rest * 1000);
      if (error.code === 'write') box.trouble('disk', `${error.message} ${error.hint}`);
      else box.note(`${film.path}: ${error.message}${givenUp ? ' It is not tried again.' : ''}`);
    }
  }
  return failed;
}

/** Told before it is written beside the film, which is the sign that it need not be done again: a process that ends between the two tells the same messages once more. */
async function analyze(box: Box, session: BoxSession, { path, mark }: NewFilm, job: FolderJob): Promise<void> {
  const { folder, tasks, signal } = job;
  const analysis = await session.analyze(path, { tasks, signal, onProgress: () => box.alive() });
  const engine = session.info();
  const events = foundEvents(analysis.results);
  const warnings = [...engine.warnings, ...analysis.warnings];
  const { duration } = analysis;
  await box.tell(filmMessages(box.name, { film: relative(folder, path), mark, duration, events }));
  await writeBeside(path, { ...analysis, name: nameOf(path), warnings, engine, thumbnails: [] });
  box.counts.films++;
  box.counts.events += events.length;
  job.onFilm(path, duration, events.length);
}
