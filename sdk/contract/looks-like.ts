/** What bytes that should be something else look like, for errors: web servers like to answer with a page. */
export function looksLike(bytes: Uint8Array): string {
  const beginning = new TextDecoder().decode(bytes.subarray(0, 200)).trimStart().toLowerCase();
  if (beginning.startsWith('<!doctype html') || beginning.startsWith('<html')) return 'an HTML page';
  if (beginning.startsWith('version https://git-lfs')) return 'a Git LFS pointer';
  return `${bytes.byteLength} bytes`;
}
