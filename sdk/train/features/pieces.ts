/**
 * Clips that are longer than what an adapter sees at once, cut into pieces of that length: each is an example of its own. So every labelled second trains and
 * counts, and no example is larger than the model's inputs.
 */
import type { DatasetItem, ParsingLabels } from '../data/types.ts';

/** An item, or a part of one that begins `start` seconds after the clip does; its labels are those of the part. */
export type Piece = DatasetItem & { start: number };

/** Pieces of at most `seconds` seconds, in the order of the items. A piece of segmentation without any mask has nothing to say and is left out. */
export function cutIntoPieces(items: readonly DatasetItem[], seconds: number): Piece[] {
  return items.flatMap((item) => {
    const count = Math.max(1, Math.ceil(item.seconds / seconds));
    if (count === 1) return [{ ...item, start: 0 }];
    return Array.from({ length: count }, (_, i) => pieceOf(item, i * seconds, seconds)).filter(hasLabels);
  });
}

function pieceOf(item: DatasetItem, start: number, length: number): Piece {
  const end = Math.min(start + length, item.seconds);
  const events = item.events
    ?.map((event) => ({
      ...event,
      onset: Math.max(event.onset, start) - start,
      offset: Math.min(event.offset, end) - start,
    }))
    .filter(({ onset, offset }) => onset < offset);
  const piece = { ...item, id: `${item.id} from ${start} s`, seconds: end - start, start, ...(events && { events }) };
  const { labels } = item;
  if (labels.task === 'localize') {
    return { ...piece, labels: { ...labels, seconds: labels.seconds.slice(start, end) } };
  }
  if (labels.task === 'parse') return { ...piece, labels: parsingPart(labels, start, end) };
  const masks = labels.masks.slice(start, end);
  return { ...piece, labels: { ...labels, masks, supervised: labels.supervised.slice(start, end) } };
}

/** Where only the union over the whole clip is known, it is all that a piece has too. */
function parsingPart({ task, clip, audio, visual }: ParsingLabels, start: number, end: number): ParsingLabels {
  const classes = clip.length;
  if (!audio || !visual) return { task, clip, audio, visual };
  const part = (rows: Uint8Array): Uint8Array => rows.slice(start * classes, end * classes);
  const [heard, seen] = [part(audio), part(visual)];
  const union = new Uint8Array(classes);
  heard.forEach((on, at) => {
    if (on || seen[at]) union[at % classes] = 1;
  });
  return { task, clip: union, audio: heard, visual: seen };
}

const hasLabels = ({ labels }: Piece): boolean =>
  labels.task !== 'segment' || labels.masks.some((mask) => mask !== null);
