/** A process that opens one damaged film after the other, as it is told, and tells what came of each. It may be killed at any time. */
import { readFileSync } from 'node:fs';
import { MettleError } from '../../sdk/errors.ts';
import { openClip } from '../../sdk/media/clip.ts';
import type { FuzzAnswer, FuzzCase } from '../helpers/media-fuzz.ts';
import { damage } from '../helpers/media-mutations.ts';

/** A damaged time stamp may claim hours; what comes after this many seconds is more of the same. */
const mostSegments = 100;
const format = { frame: { width: 32, height: 24 }, sampleRate: 16_000 };

async function analyze(bytes: Uint8Array): Promise<string> {
  try {
    await using clip = await openClip(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    let count = 0;
    for await (const _ of clip.segments(format)) {
      process.send!('segment');
      if (++count === mostSegments) break;
    }
    return 'result';
  } catch (error) {
    if (error instanceof MettleError) return error.code;
    throw error;
  }
}

process.on('message', async ({ path, index, seed }: FuzzCase) => {
  const { kind, bytes } = damage(readFileSync(path), index, seed);
  const before = process.cpuUsage();
  const outcome = await analyze(bytes).catch((error: unknown) => `not a MettleError: ${String(error)}`);
  const { user, system } = process.cpuUsage(before);
  const megabytes = process.resourceUsage().maxRSS / 1024;
  const answer: FuzzAnswer = { kind, outcome, cpuSeconds: (user + system) / 1e6, megabytes };
  process.send!(answer);
});
process.send!('ready');
