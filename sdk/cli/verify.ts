/** `mettle verify`: every byte of a model, and of the runtime that would run it, against digests; and what these do not cover. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesText } from '../contract/limits.ts';
import { jsonText, spacedLine } from '../contract/plain-text.ts';
import { runtimeVersion } from '../contract/version.ts';
import { splitPin } from '../hub/pin.ts';
import type { Verification } from '../hub/verify.ts';
import { readHub, SOURCE_HELP, SOURCE_OPTIONS } from './hub-options.ts';
import { readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export const VERIFY_HELP = `Usage
  mettle verify MODEL... [options]

Reads every file of each MODEL (a shipped id, or the path or URL of a package) and of the runtime installed here, compares sizes
and digests, and says what they do not cover. MODEL may be pinned: LOCATION#sha256-... to the digest of its manifest,
LOCATION#ed25519-... to the key that signed it, as everywhere a model is named. The cache is not asked.

Options
${SOURCE_HELP}
  --json              print JSON
  --quiet             print nothing but what is wrong
  --verbose           print the stack of an internal fault

Exit codes
  0 every byte is as it should be   2 one is not, or wrong usage   1 internal fault   130 interrupted
`;

type Report = {
  models: ReturnType<typeof modelReport>[];
  runtime: { name: string; files: number; failures: string[] };
  notCovered: string[];
};

/** Returns the exit code. */
export async function verify(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('verify', {
    args: argv,
    allowPositionals: true,
    options: {
      ...SOURCE_OPTIONS,
      json: { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(VERIFY_HELP);
    return 0;
  }
  if (positionals.length === 0) throw usageError('No MODEL was named.', 'verify');
  const { hosts, publishers } = await readHub('verify', values);
  const { verifyModel } = await import('../hub/verify.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  const verified: { location: string; result: Verification }[] = [];
  try {
    for (const location of positionals) {
      const onProgress = ({ path, done, total }: { path: string; done: number; total: number }) =>
        bar.update(path, done, total, `${bytesText(done)} of ${bytesText(total)}`);
      verified.push({
        location,
        result: await verifyModel(location, { signal: io.signal, hosts, publishers, onProgress }),
      });
    }
  } finally {
    bar.clear();
  }
  const report: Report = {
    models: verified.map(({ location, result }) => modelReport(location, result)),
    runtime: await runtimeReport(),
    notCovered: await notCovered(verified.map(({ result }) => result)),
  };
  const wrong = [...report.models.flatMap(({ failures }) => failures), ...report.runtime.failures];
  if (values.json) io.stdout.write(`${jsonText(report, 2)}\n`);
  else if (!values.quiet) io.stdout.write(reportText(report));
  if (wrong.length === 0) return 0;
  for (const failure of wrong) io.stderr.write(`mettle: ${oneLine(failure)}\n`);
  io.stderr.write('hint: Get the model, or mettle-edge, again; do not run what is here.\n');
  return 2;
}

function modelReport(location: string, { manifest, integrity, vouched, signers, bytes, failures }: Verification) {
  const { kind, id, version, files } = manifest;
  return {
    location: splitPin(location).location,
    kind,
    id,
    version,
    integrity,
    vouched,
    signers,
    files: files.length,
    bytes,
    failures: failures.map(({ error }) => error.message),
  };
}

/** Of onnxruntime-web as it is installed. Where it is missing, that is a failure too. */
async function runtimeReport(): Promise<Report['runtime']> {
  const { checkInstalledRuntime, nodeRuntimeFiles } = await import('../node/runtime-files.ts');
  const failures = await checkInstalledRuntime();
  return { name: `onnxruntime-web ${runtimeVersion}`, files: nodeRuntimeFiles.length, failures };
}

/** What no digest says anything about, in sentences. */
async function notCovered(results: readonly Verification[]): Promise<string[]> {
  const strangers = results.filter(({ vouched }) => vouched === null).map(({ manifest }) => `"${manifest.id}"`);
  const extra = (await Promise.all(results.map(unlistedFiles))).flat();
  return [
    ...(strangers.length > 0
      ? [
          `Who wrote the manifest of ${strangers.join(', ')}: nothing vouches for it. Compare its digest with one that you trust, and pin it, or the key of its publisher.`,
        ]
      : []),
    ...(extra.length > 0
      ? [`Files beside a manifest that it does not list, and that are never read: ${extra.join(', ')}.`]
      : []),
    'What a model computes: that its bytes are those of its author says nothing of how good it is.',
    'The code of mettle-edge, of its other dependencies and of onnxruntime-node: npm checks them against the lock file when it installs.',
    'A page loads its own copy of the runtime: it is checked there, whenever it is loaded.',
  ];
}

/** Names in the folder of a model on disk that are neither its manifest nor listed in it. */
async function unlistedFiles({ manifest, url }: Verification): Promise<string[]> {
  if (url.protocol !== 'file:') return [];
  const known = new Set(manifest.files.map(({ path }) => path));
  const folder = fileURLToPath(new URL('.', url));
  const name = fileURLToPath(url).slice(folder.length);
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(folder.length)
        .replaceAll('\\', '/'),
    )
    .filter((path) => path !== name && !known.has(path))
    .map((path) => oneLine(path));
}

const known = {
  pin: 'as pinned',
  key: 'of a publisher whose key is pinned',
  registry: 'as the list of shipped models says',
  none: 'not pinned',
};

function reportText({ models, runtime, notCovered }: Report): string {
  const lines = models.flatMap(
    ({ location, kind, id, version, integrity, vouched, signers, files, bytes, failures }) => [
      `${kind} ${id} ${version}: ${failures.length === 0 ? `all ${files} files are as its manifest says, ${bytesText(bytes)}` : `${failures.length} of ${files} files are not as its manifest says`}`,
      `  manifest ${integrity}, ${known[vouched ?? 'none']}`,
      ...signers.map((key) => `  signed   by ${key}`),
      ...(vouched === null ? [`  pin      ${location}#${integrity}`] : []),
    ],
  );
  const good = runtime.failures.length === 0;
  lines.push(
    `${runtime.name}: ${good ? `all ${runtime.files} files are those that this version was made with` : `${runtime.failures.length} files are others`}`,
    'Not covered',
    ...notCovered.map((sentence) => `  - ${sentence}`),
  );
  return lines.map((line) => `${spacedLine(line)}\n`).join('');
}
