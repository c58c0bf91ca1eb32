/** The package as a user gets it: packed, and installed by npm into an empty folder. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from './environments.ts';
import { shellIn } from './processes.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Path of a fresh tarball in `folder`. The working tree must have been built. */
export async function packTarball(folder: string): Promise<string> {
  const out = await shellIn(repository).run(
    `npm pack --json --ignore-scripts --loglevel=error --pack-destination ${folder}`,
  );
  return join(folder, JSON.parse(out)[0].filename);
}

/** What npm did not install and why, such as a binary that there is none of for this platform. */
export class CannotInstall extends Error {}

export type Installed = { folder: string; binaries: string[]; remove(): Promise<void> };

/**
 * Installs the tarball, if there is one, and the environment's packages from the registry, without install scripts: they would ask other hosts.
 * Throws `CannotInstall` where this platform or its registry does not have them.
 */
export async function installEnvironment(environment: Environment, tarball?: string): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), `mettle-embed-`));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
    const packages = Object.entries(environment.packages ?? {}).map(([name, version]) => `${name}@${version}`);
    const options = '--ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error';
    await shellIn(folder)
      .run(`npm install ${options} ${[...(tarball ? [tarball] : []), ...packages].join(' ')}`)
      .catch((error: Error) => {
        throw new CannotInstall(error.message);
      });
    return { folder, binaries: await platformBinaries(environment, folder), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Versions that are installed, ours and npm's own choices included. */
export async function installedVersions(folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const name of names) {
    versions[name] = JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  }
  return versions;
}

/** Folders of binaries that come in a package for each platform, and that an install script would have linked. */
async function platformBinaries({ platformBinary }: Environment, folder: string): Promise<string[]> {
  if (!platformBinary) return [];
  const modules = join(folder, 'node_modules');
  for (const scope of (await readdir(modules)).filter((name) => name.startsWith('@'))) {
    for (const name of await readdir(join(modules, scope))) {
      for (const place of [join(modules, scope, name), join(modules, scope, name, 'bin')]) {
        const files: string[] = await readdir(place).catch(() => []);
        if (files.includes(platformBinary)) return [place];
      }
    }
  }
  throw new CannotInstall(`There is no ${platformBinary} for ${process.platform} on ${process.arch}.`);
}
