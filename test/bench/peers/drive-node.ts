/** Lets a process be asked by lines: the first opens a peer, each further one runs it. It answers by a line of JSON. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { peakOf } from '../measure.ts';
import { type Open, testPicture, timedRun } from './drive.ts';

export type NodeAnswer = { ms: number; numbers: number[]; peakMb: number };

export async function driveNode(open: Open<never>): Promise<void> {
  const { config, width, height } = JSON.parse(process.argv[2]!);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const picture = testPicture(width, height);
  await lines.next();
  const run = await open(config as never, async (path) => new Uint8Array(await readFile(path)));
  console.log('{}');
  for await (const _ of lines)
    console.log(JSON.stringify({ ...(await timedRun(run, picture)), peakMb: peakOf('self') }));
  process.exit();
}
