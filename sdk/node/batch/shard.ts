/** One part of many of a batch. Which films are in it follows from their names alone, so that machines agree without speaking, whatever else is in the list. */
import type { Film } from './film.ts';

/** `index` from 0 to `count` - 1. */
export type Shard = { index: number; count: number };

/** Names end with a digest. */
export const isInShard = ({ name }: Film, { index, count }: Shard): boolean =>
  Number.parseInt(name.slice(-8), 16) % count === index;
