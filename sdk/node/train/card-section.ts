/** A section of a card, written anew. */

/** The card with `lines`, the first of which is `heading`, in place of the section of this heading, else before its files. */
export function withSection(card: string, heading: string, lines: readonly string[]): string {
  const section = `${lines.join('\n')}\n`;
  const from = card.indexOf(`${heading}\n`);
  if (from >= 0) {
    const next = card.indexOf('\n## ', from + heading.length);
    return card.slice(0, from) + section + (next < 0 ? '' : card.slice(next + 1));
  }
  const files = card.indexOf('## Files\n');
  return files < 0 ? `${card.trimEnd()}\n\n${section}` : card.slice(0, files) + section + card.slice(files);
}
