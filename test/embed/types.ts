/**
 * `npm run test:embed:types`: the declarations of the packed tarball, installed by npm into an empty folder, read by every version of TypeScript from 5.2 on that its users may
 * have, strict and with `skipLibCheck: false`. Prints a table.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackage, run } from '../packaging/installed.ts';
import { compileConsumers } from '../packaging/type-consumers.ts';

const versions = ['5.2.2', '5.4.5', '5.6.3', '5.7.3', '5.9.3', '6.0.3', '7.0.2'];
const alias = (version: string): string => `typescript-${version}`;

const { tarball, remove } = await installPackage({ peers: false });
const folder = await mkdtemp(join(tmpdir(), 'mettle-types-'));
try {
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  const compilers = versions.map((version) => `${alias(version)}@npm:typescript@${version}`);
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, err } = await run('npm', ['install', ...options, tarball, '@types/node@20', ...compilers], folder);
  if (code !== 0) throw new Error(`npm install failed:\n${err}`);
  for (const version of versions) {
    const tsc = join(folder, 'node_modules', alias(version), 'bin/tsc');
    const faults = Object.entries(await compileConsumers({ folder }, tsc));
    console.log(`TypeScript ${version}: ${faults.length === 0 ? 'good' : `${faults.length} faults`}`);
    for (const [program, said] of faults) console.error(`${program}\n${said}`);
    if (faults.length > 0) process.exitCode = 1;
  }
} finally {
  await remove();
  await rm(folder, { recursive: true, force: true });
}
