/** What a film is called, from its path or URL: for people, and for files that are made of it. */
import { basename } from 'node:path';

/** The last part of a path or URL. */
export function nameOf(film: string): string {
  if (!/^(https?|file):/i.test(film)) return basename(film) || film;
  if (!URL.canParse(film)) return film;
  const last = new URL(film).pathname.split('/').at(-1)!;
  try {
    return decodeURIComponent(last) || film;
  } catch {
    return last;
  }
}

/** Its name without the ending, with nothing in it that a file system refuses. */
export function stemOf(film: string): string {
  const stem = nameOf(film)
    .replace(/\.[^.]+$/, '')
    .replace(/[\p{Cc}/\\:*?"<>|]/gu, '_')
    .replace(/^\.+|[. ]+$/g, '');
  return stem || 'clip';
}
