/** The card of a taught adapter: what it is, of how much, and how far that can be trusted. */
import { senses } from '../../contract/familiar.ts';
import { oneLine } from '../../contract/plain-text.ts';
import type { LeftOut, TaughtAdapter } from './options.ts';

export function cardOf(facts: {
  id: string;
  events: readonly string[];
  counts: readonly number[];
  nothing: number;
  leftOut: TaughtAdapter['leftOut'];
}): string {
  const { id, events, counts, nothing, leftOut } = facts;
  const rows = events.map((event, i) => `| ${oneLine(event).replaceAll('|', '\\|')} | ${counts[i]} |`);
  const told = senses.flatMap((sense) => (leftOut[sense] ? [`- ${sentence(sense, leftOut[sense])}`] : []));
  return `# ${id}

Taught from a few examples with \`teach\` of mettle-edge: a linear head on a frozen backbone.

| event | examples |
| --- | --- |
${rows.join('\n')}
| nothing | ${nothing} |

Each example was judged once by a head that had not learned from it:

${told.join('\n')}

So few examples say little about places, devices and takes that were not among them.
`;
}

function sentence(sense: 'audio' | 'visual', { right, silent, examples, quiet, nothing }: LeftOut): string {
  const by = sense === 'audio' ? 'By sound' : 'By picture';
  const rest = nothing > 0 ? `, and silent about ${quiet} of ${nothing} of nothing` : '';
  return `${by}: right about ${right} of ${examples} examples of events, silent about ${silent}${rest}.`;
}
