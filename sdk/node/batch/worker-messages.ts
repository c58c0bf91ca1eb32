/** What a batch and its processes say to each other. */
import type { Film } from './film.ts';
import type { BatchModels, Wish } from './recipe.ts';

/** The first message: what to load, what to ask, and where outputs go. */
export type FilmPlan = {
  models: BatchModels;
  wish: Wish;
  recipe: string;
  out: string;
};

/** What became of a film. */
export type FilmDone = {
  /** Of the film. */
  seconds: number;
  events: number;
  /** About the film, each on one line. */
  warnings: string[];
  /** Wall time of decoding and models, in seconds. */
  took: number;
};

export type ToProcess =
  | { type: 'plan'; plan: FilmPlan }
  | { type: 'film'; film: Film; mark: string }
  | { type: 'stop' };

/** An error as plain data. */
export type Told = { code: string; message: string; hint: string };

export type FromProcess =
  | { type: 'ready' }
  | { type: 'progress'; done: number; total: number }
  | { type: 'done'; done: FilmDone }
  | { type: 'failed'; error: Told };
