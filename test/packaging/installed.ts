/** The package as npm would install it: packed, unpacked into an empty project, dependencies beside it. No registry is asked. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repo = fileURLToPath(new URL('../..', import.meta.url));

export type Finished = { code: number; out: string; err: string };

export type Project = {
  /** The project's folder; the package lies in its `node_modules/mettle-edge`. */
  folder: string;
  packageFolder: string;
  tarball: string;
  /** Paths in the tarball, without npm's `package/`. */
  files: string[];
  /** Runs the installed `mettle` command in the project's folder. */
  mettle(...args: string[]): Promise<Finished>;
  /** Runs Node in the project's folder. */
  node(...args: string[]): Promise<Finished>;
  remove(): Promise<void>;
};

export type InstallOptions = {
  peers: boolean;
  dependencies?: boolean;
  tarball?: string;
  /** Packages of this checkout that the project has too, with their commands. */
  tools?: readonly string[];
};

/**
 * Installs `tarball`, or packs the working tree, which must have been built. `peers` says whether the optional packages are installed too; `dependencies: false` leaves
 * out even those that it needs to run.
 * Removing a project removes the tarball that was packed for it.
 */
export async function installPackage({
  peers,
  dependencies = true,
  tarball,
  tools = [],
}: InstallOptions): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'mettle-install-'));
  try {
    const source = tarball ?? (await pack(folder));
    const packageFolder = join(folder, 'node_modules', 'mettle-edge');
    await mkdir(packageFolder, { recursive: true });
    await promisify(execFile)('tar', ['-xzf', source, '-C', packageFolder, '--strip-components=1']);
    const { stdout } = await promisify(execFile)('tar', ['-tzf', source]);
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
    if (dependencies) await linkDependencies(folder, packageFolder, peers);
    for (const name of [...tools, '.bin']) await link(folder, name);
    const { bin } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
    const node = (...args: string[]) => run(process.execPath, args, folder);
    return {
      folder,
      tarball: source,
      packageFolder,
      files: stdout
        .trim()
        .split('\n')
        .map((path) => path.replace('package/', '')),
      mettle: (...args) => node(join(packageFolder, bin.mettle), ...args),
      node,
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Path of a fresh tarball in `folder`. */
async function pack(folder: string): Promise<string> {
  const options = ['--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', ['pack', ...options], { cwd: repo, maxBuffer: 1 << 24 });
  return join(folder, JSON.parse(stdout)[0].filename);
}

/** What the package names, and `onnxruntime-common`, which npm puts beside it for onnxruntime-web. */
async function linkDependencies(folder: string, packageFolder: string, peers: boolean): Promise<void> {
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const names = [...Object.keys(dependencies), 'onnxruntime-common'];
  if (peers) names.push(...Object.keys(peerDependencies), 'node-av');
  for (const name of names) await link(folder, name);
}

async function link(folder: string, name: string): Promise<void> {
  const place = join(folder, 'node_modules', name);
  await mkdir(dirname(place), { recursive: true });
  await symlink(join(repo, 'node_modules', name), place, 'dir');
}

/** Runs a program to its end; an exit code other than 0 is an answer. */
export function run(program: string, args: string[], cwd: string): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, timeout: 300_000, maxBuffer: 1 << 24 }, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: Number(error?.code ?? 0), out, err });
    });
  });
}
