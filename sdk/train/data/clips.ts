/** Which clips a dataset really has: finds their files in the published layouts and opens each once. What is missing or broken becomes a finding. */

import { segmentCount } from '../../contract/segment-time.ts';
import { MettleError } from '../../errors.ts';
import type { FindingList } from './findings.ts';
import type { ClipFacts, DataFolder, ReadOptions } from './types.ts';

const clipPattern = /\.(mp4|m4v|mov|webm|mkv|ts)$/i;

/** Clips in these folders by name without extension. Where a name occurs twice the first is taken, and the second noted. */
export async function findClips(
  folder: DataFolder,
  candidates: readonly string[],
  findings: FindingList,
): Promise<Map<string, string>> {
  const clips = new Map<string, string>();
  for (const candidate of new Set(candidates)) {
    for (const name of (await folder.list(candidate)).sort()) {
      if (!clipPattern.test(name)) continue;
      const stem = name.replace(clipPattern, '');
      const path = joinPath(candidate, name);
      const known = clips.get(stem);
      if (known === undefined) clips.set(stem, path);
      else findings.add('warning', 'same-name', 'Two clips have one name; the first is taken.', `${known}, ${path}`);
    }
  }
  return clips;
}

/**
 * Opens each clip once and returns the facts of those that can be used. A folder that cannot probe vouches for all with null.
 * Throws `missing-package` where nothing can be decoded at all, or `signal.reason`.
 */
export async function probeClips(
  folder: DataFolder,
  paths: Iterable<string>,
  findings: FindingList,
  options: ReadOptions,
): Promise<Map<string, ClipFacts | null>> {
  const { probe = true, onProgress, signal } = options;
  const distinct = [...new Set(paths)];
  const usable = new Map<string, ClipFacts | null>();
  for (const [done, path] of distinct.entries()) {
    signal?.throwIfAborted();
    if (probe && folder.probeClip) {
      const facts = await probeOne(folder, path, findings);
      if (facts) usable.set(path, facts);
      onProgress?.({ done: done + 1, total: distinct.length });
    } else {
      usable.set(path, null);
    }
  }
  return usable;
}

async function probeOne(folder: DataFolder, path: string, findings: FindingList): Promise<ClipFacts | null> {
  try {
    const facts = await folder.probeClip!(path);
    if (!facts.hasPicture) findings.add('warning', 'no-picture', 'The clip has sound alone.', path);
    if (!facts.hasSound) findings.add('warning', 'no-sound', 'The clip has a picture alone.', path);
    return facts;
  } catch (error) {
    if (!(error instanceof MettleError) || error.code === 'missing-package') throw error;
    findings.add('error', 'broken-clip', 'The clip cannot be decoded and is left out.', `${path} (${error.message})`);
    return null;
  }
}

/** Notes clips that end before their labels do. */
export function noteShort(path: string, facts: ClipFacts | null, seconds: number, findings: FindingList): void {
  if (facts && segmentCount(facts.seconds) < seconds) {
    const message = `The clip has fewer than ${seconds} seconds; the labels after its end have nothing to go with.`;
    findings.add('info', 'short-clip', message, path);
  }
}

export const joinPath = (folder: string, name: string): string =>
  folder === '' || folder.endsWith('/') ? folder + name : `${folder}/${name}`;

/** The first of these prefixes under which one of `names` exists; null if there is none. */
export async function findBase(
  folder: DataFolder,
  prefixes: readonly string[],
  names: readonly string[],
): Promise<string | null> {
  for (const prefix of prefixes) {
    for (const name of names) if (await folder.exists(prefix + name)) return prefix;
  }
  return null;
}
