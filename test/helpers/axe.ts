/** What axe-core finds on a page: WCAG A and AA, best practices, and its experimental rules. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'];

/** A line per element at fault: the rule and the element. Throws where no rule ran. */
export async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(source);
  const options = { runOnly: { type: 'tag', values: tags } };
  const { violations, passes } = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as AxeResults;
  if (passes.length === 0) throw new Error('axe found nothing to check');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
