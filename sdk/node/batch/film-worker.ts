/** The script of a process of a batch: loads the models once, then analyzes one film after the other, as it is told. Ends with the process that started it. */
import process from 'node:process';
import { MettleError } from '../../errors.ts';
import { captions } from '../../export/index.ts';
import { createMettle } from '../../mettle.ts';
import { foundEvents } from '../../tasks/given.ts';
import { nameOf } from '../output/film-name.ts';
import type { Film } from './film.ts';
import { openFolder } from './folder-outputs.ts';
import type { FilmDone, FilmPlan, FromProcess, Told, ToProcess } from './worker-messages.ts';

const stopped = new AbortController();
const { signal } = stopped;
const tell = (message: FromProcess): void => void process.send!(message);

// Ctrl-C reaches every process of a terminal; the one that began the batch decides what it means.
process.on('SIGINT', () => {});
process.on('disconnect', () => stop());
process.on('message', (message: ToProcess) => {
  if (message.type === 'stop') stop();
  else if (message.type === 'plan') begin(message.plan);
  else busy = analyze(message.film, message.mark);
});

type Session = Awaited<ReturnType<typeof createMettle>>;
let session: Promise<Session>;
let plan: FilmPlan;
/** The film that is at work. */
let busy: Promise<void> = Promise.resolve();

function begin(given: FilmPlan): void {
  plan = given;
  session = createMettle({ ...plan.models, signal });
  session.then(
    () => tell({ type: 'ready' }),
    (error) => tell({ type: 'failed', error: told(error) }),
  );
}

async function analyze(film: Film, mark: string): Promise<void> {
  try {
    tell({ type: 'done', done: await madeOf(film, mark) });
  } catch (error) {
    tell({ type: 'failed', error: told(error) });
  }
}

async function madeOf(film: Film, mark: string): Promise<FilmDone> {
  const { tasks, unfamiliar, captions: language } = plan.wish;
  const mettle = await session;
  const analysis = await mettle.analyze(film.address, {
    tasks,
    unfamiliar,
    signal,
    onProgress: ({ done, total }) => tell({ type: 'progress', done, total }),
  });
  const engine = mettle.info();
  const warnings = [...engine.warnings, ...analysis.warnings];
  const findings = { ...analysis, name: nameOf(film.address), warnings, engine, thumbnails: [] };
  const text = language === undefined ? null : captions(analysis, { language });
  const outputs = await openFolder(plan.out);
  const origin = { film: film.address, mark, recipe: plan.recipe };
  await outputs.write(film, origin, { findings, captions: text }, signal);
  return {
    seconds: analysis.duration,
    events: foundEvents(analysis.results).length,
    warnings: analysis.warnings.map(({ message }) => message),
    took: analysis.timing.totalMs / 1000,
  };
}

function told(error: unknown): Told {
  const { message } = error as Error;
  return error instanceof MettleError
    ? { code: error.code, message, hint: error.hint }
    : { code: 'internal', message: message ?? String(error), hint: '' };
}

function stop(): void {
  if (signal.aborted) return;
  stopped.abort(new DOMException('The batch was stopped.', 'AbortError'));
  const end = (): never => process.exit(0);
  // What a film has staged is removed on the way; a runtime that hangs is not waited for.
  setTimeout(end, 4000);
  busy
    .then(() => session)
    .then((mettle) => mettle?.dispose())
    .then(end, end);
}
