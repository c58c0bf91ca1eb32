/** A film's outputs beside it: `door.mp4.json` and `door.mp4.vtt`, each whole or not at all, the JSON last. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { jsonText } from '../../contract/plain-text.ts';
import { toJSON, toWebVTT } from '../../tasks/export.ts';
import { DiskStore } from '../files/file-store.ts';
import type { Findings } from '../output/findings.ts';

/** Whether the outputs are there, and younger than the film: than its last byte, and than its being moved here. */
export async function isAnalyzed(film: string): Promise<boolean> {
  const [made, from] = await Promise.all([`${film}.json`, film].map((path) => stat(path).catch(() => null)));
  return made != null && from != null && made.mtimeMs >= Math.max(from.mtimeMs, from.ctimeMs);
}

/** Throws `write`. */
export async function writeBeside(film: string, findings: Findings): Promise<void> {
  const store = new DiskStore(dirname(film));
  const save = (ending: string, text: string): Promise<void> =>
    store.save(`${basename(film)}${ending}`, new TextEncoder().encode(text));
  await save('.vtt', toWebVTT(findings));
  const document = toJSON(findings, { source: findings.name, engine: findings.engine });
  await save('.json', `${jsonText(document, 2)}\n`);
}
