/** What the card of an everyday adapter says of the clips that it learned from, with the sources and licences of all of them. */
import type { Note, Used } from './clip-files.ts';
import type { World } from './tables.ts';
import { both, heard, seen } from './things.ts';

const list = (labels: readonly string[]): string => labels.join(', ');
const onlyHeard = heard.filter((label) => !both.includes(label));
const onlySeen = seen.filter((label) => !both.includes(label));

const about: Record<World, string> = {
  ave: `Things that are **seen and heard at once**, second by second: ${list(both)}. What is heard and not seen, or seen and silent, or of which one is seen while
another is heard, was background in training; so was everything else.`,
  llp: `Things that are **heard** and things that are **seen**, each by itself, learned from the labels of whole clips.
Heard and seen: ${list(both)}. Only heard: ${list(onlyHeard)}. Only seen: ${list(onlySeen)}.`,
  avs: `Which pixels **sound**: things cut out of photographs, one to three before another photograph, of which one sounds, two do, or none. Of what sounded in training there were cut-outs of
some of these: ${list(both)}.`,
};

/** Markdown, whose largest headings are of the second level. */
export function cardOf(world: World, notes: readonly Note[]): string {
  return `## Everyday things

${about[world]}

**Composed, not filmed.** Clips were put together from real recordings and real photographs: views that move and zoom, cuts, several sounds at once, noise, other sounds and pictures. Nothing moves in
a photograph. Melodies were made with a sound font, and a part of the speech by a synthesizer. **Measured on** clips composed in the same way of recordings and photographs that are in no
training clip; recordings are parted by series, or by author of a thing. Faces are of few people, who are on both sides. Of films, expect less.

### Sources

Neither sounds nor pictures are in this package. The composed folder names every file that was used, with author, address and licence, in \`attribution.csv\`.

${sourcesOf(notes)}`;
}

/** What was used of each collection, under which licences, by whom. */
function sourcesOf(notes: readonly Note[]): string {
  const collections = new Map<string, Map<string, Used>>();
  for (const used of notes.flatMap((note) => note.used)) {
    const key = used.kind === 'photo' ? 'caltech101' : used.name.split('/')[0]!;
    const known = collections.get(key) ?? new Map<string, Used>();
    collections.set(key, known.set(used.name, used));
  }
  const lines = [...collections]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, files]) => {
      const all = [...files.values()];
      const count = (licence: string): number => all.filter((file) => file.licence === licence).length;
      const licences = [...new Set(all.map(({ licence }) => licence))].sort();
      const authors = [...new Set(all.map(({ author }) => author))].sort().join(', ');
      const counts = licences.map((licence) => `${count(licence)} ${licence}`).join(', ');
      return `- **${name}** (${all[0]!.kind}s): ${counts}. By ${authors}.\n`;
    });
  return lines.join('');
}
