/** `npm run demo`: makes a short film with sound, runs every shipped model on it, and says where the report lies. */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { makeDemoClip } from '../sdk/node/clip-maker.ts';

const folder = 'out';
const clip = `${folder}/demo.webm`;
await mkdir(folder, { recursive: true });
await makeDemoClip(clip);
const { status } = spawnSync(process.execPath, ['dist/cli/mettle.js', 'run', clip, '--out', `${folder}/demo`], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
