/** Bundles of a peer with what asks it, by one bundler with one setting, so that their sizes can be compared. */
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('./', import.meta.url));
const repository = fileURLToPath(new URL('../../..', import.meta.url));

export type Host = 'page' | 'node';

/**
 * Writes `out` from `peers/<peer>`: with the packages of this checkout, or with those that are installed in `installed`, where the peer's file is copied to.
 * In Node packages stay imports, as they are for a user.
 */
export async function bundlePeer(peer: string, host: Host, out: string, installed = repository): Promise<void> {
  const own = installed === repository;
  const path = own ? join(here, peer) : join(installed, peer);
  if (!own) await copyFile(join(here, peer), path);
  const drive = host === 'page' ? 'drivePage' : 'driveNode';
  await build({
    stdin: {
      contents: `import { open } from ${JSON.stringify(path)}; import { ${drive} } from ${JSON.stringify(join(here, host === 'page' ? 'drive-page.ts' : 'drive-node.ts'))}; ${drive}(open);`,
      resolveDir: repository,
    },
    outfile: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: host === 'page' ? 'browser' : 'node',
    packages: host === 'page' ? 'bundle' : 'external',
    logLevel: 'error',
  });
  if (host === 'page') return;
  await symlink(join(installed, 'node_modules'), join(dirname(out), 'node_modules')).catch(() => {});
  await writeFile(join(dirname(out), 'package.json'), '{ "type": "module" }\n');
}

/** Copies files into a folder that is served. */
export async function place(folder: string, from: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of names) await copyFile(join(from, name), join(folder, basename(name)));
}
