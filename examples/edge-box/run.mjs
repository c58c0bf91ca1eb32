/**
 * A box that listens and watches: `node examples/edge-box/run.mjs FOLDER` analyzes every clip in a folder and every one that arrives later;
 * files may be named instead. Models are loaded once. One line of JSON per event goes to stdout, what failed to stderr.
 */
import { watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createMettle } from 'mettle-edge';

const media = /\.(mp4|m4v|mov|webm|mkv|ogg|wav|flac|mp3|m4a|aac|ts)$/i;
const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error('Name clips, or a folder to watch: node examples/edge-box/run.mjs FOLDER');
  process.exit(2);
}

const mettle = await createMettle({ adapters: ['toybox-ave', 'toybox-llp'] });
for (const path of paths) {
  const stats = await stat(path).catch(() => null);
  if (stats?.isDirectory()) await follow(path);
  else await analyze(path);
}
await mettle.dispose();

/** Prints the events of one clip. A clip that cannot be read does not stop the box. */
async function analyze(file) {
  try {
    const { results } = await mettle.analyze(file);
    for (const { task, untrained, events } of results) {
      for (const event of events) console.log(JSON.stringify({ file, task, ...event, untrained }));
    }
  } catch (error) {
    console.error(`${file}: ${error.message} ${error.hint ?? ''}`);
    process.exitCode = 2;
  }
}

/** What lies in the folder, then what arrives, one clip after the other; never ends. */
async function follow(folder) {
  const arrived = new Set();
  let wake = () => {};
  watch(folder, (_, name) => {
    if (name && media.test(name)) arrived.add(name);
    wake();
  });
  for (const name of await readdir(folder)) if (media.test(name)) arrived.add(name);
  for (;;) {
    for (const name of arrived) {
      const file = join(folder, name);
      const complete = await isComplete(file);
      // Only now, because every piece that is written announces the file again.
      arrived.delete(name);
      if (complete) await analyze(file);
    }
    if (arrived.size === 0) await new Promise((resolve) => (wake = resolve));
  }
}

/** True once a file has stopped growing; false if it is gone again. */
async function isComplete(file) {
  for (let before = -1; ; await setTimeout(500)) {
    const size = await stat(file).then(
      (stats) => stats.size,
      () => null,
    );
    if (size === null) return false;
    if (size === before) return true;
    before = size;
  }
}
