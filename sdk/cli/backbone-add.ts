/** `mettle backbone add`: a published network by name. Shows where it comes from, asks, downloads, checks and imports it into the place where `--backbone NAME` looks. */
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hexIntegrity } from '../contract/integrity.ts';
import { bytesText } from '../contract/limits.ts';
import { didYouMean } from '../did-you-mean.ts';
import { MettleError } from '../errors.ts';
import { catalogue, type PublishedNetwork } from '../models/catalogue.ts';
import { addedFolder, isAdded } from './added.ts';
import { readOptions, usageError } from './options.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

export const ADD_HELP = `Usage
  mettle backbone add                 published networks that can be had by name
  mettle backbone add NAME [options]

Downloads a network from those who publish it, checks it, and makes a backbone package of it, which "--backbone NAME" then finds. Its
address, size, digest and licence are shown first. The digest of some files is not known: those come over https and are not checked
against anything; their own digest is noted in the package's card.

Options
  --yes               do not ask
  --mirror URL        ask this host in place of the publisher's; the path stays
  --forms LIST        checkpoints: forms to write, as in "mettle backbone import"
  --out DIR           another folder for the package
  --json              print the list as JSON
  --quiet             print nothing but errors
`;

const command = 'backbone add';

/** Returns the exit code: 1 is never one of refusal; whoever says no gets 0 and nothing is written. Throws what the hub and the import throw. */
export async function backboneAdd(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions(command, {
    args: argv,
    allowPositionals: true,
    options: {
      yes: { type: 'boolean' },
      mirror: { type: 'string' },
      forms: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(ADD_HELP);
    return 0;
  }
  const [name, ...more] = positionals;
  if (more.length > 0) throw usageError(`Expected one NAME, got ${positionals.length}.`, command);
  if (name === undefined) {
    io.stdout.write(values.json ? `${JSON.stringify(catalogue)}\n` : listText());
    return 0;
  }
  const network = find(name);
  if (network.as.format === 'tflite' && values.forms) throw usageError('--forms is for checkpoints.', command);
  const say = (text: string): void => {
    if (!values.quiet) io.stdout.write(text);
  };
  if (!values.out && isAdded(network.id)) {
    say(`${network.id} is there already: ${oneLine(addedFolder(network.id))}\n`);
    return 0;
  }
  const url = addressOf(network, values.mirror);
  const out = values.out ?? addedFolder(network.id);
  say(detailsText(network, url, out));
  if (!values.yes && !(await agreed(network, io))) {
    say('Nothing was downloaded.\n');
    return 0;
  }
  await download(network, url, { out, forms: values.forms, quiet: values.quiet === true }, io);
  if (!values.out) say(`Use it: mettle run FILE --backbone ${network.id} --backbone OTHER\n`);
  return 0;
}

type Target = { out: string; forms: string | undefined; quiet: boolean };

async function download(network: PublishedNetwork, url: URL, target: Target, io: Io): Promise<void> {
  const { fetchUnverified, fetchVerified } = await import('../hub/file.ts');
  const { id, file, bytes, aboutBytes, sha256, license, as } = network;
  const bar = new ProgressBar(io.stderr, !target.quiet);
  const expected = bytes ?? aboutBytes ?? 0;
  const show = (done: number) => bar.update(`Downloading ${id}`, done, expected, bytesText(done));
  const { signal } = io;
  const note = `Downloaded from ${url.origin}${url.pathname}.`;
  try {
    if (as.format === 'tflite' && bytes !== null && sha256 !== null) {
      const wanted = { bytes, integrity: hexIntegrity(sha256) };
      const data = await fetchVerified(url, wanted, { signal, onBytes: show });
      bar.clear();
      const { importTflite } = await import('./import-tflite.ts');
      const source = { bytes: data, where: file, id, license, taps: [], frontEnd: {}, note, quiet: target.quiet };
      await importTflite(source, target.out, io);
      return;
    }
    if (as.format === 'tflite') throw new Error(`${id}: a TensorFlow Lite file of the catalogue has a digest`);
    await mkdir(dirname(addedFolder(id)), { recursive: true });
    const folder = await mkdtemp(`${addedFolder(id)}.`);
    try {
      const path = join(folder, file);
      const handle = await open(path, 'w');
      try {
        const onPart = async (at: number, part: Uint8Array): Promise<void> => {
          await handle.write(part, 0, part.byteLength, at);
          show(at + part.byteLength);
        };
        await handle.truncate(await fetchUnverified(url, onPart, { signal }));
      } finally {
        await handle.close();
      }
      bar.clear();
      const { backboneImport } = await import('./backbone-import.ts');
      const options = ['--preset', as.preset, '--id', id, '--license', license, '--out', target.out];
      if (target.forms) options.push('--forms', target.forms);
      await backboneImport([path, ...options, ...(target.quiet ? ['--quiet'] : [])], io);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    bar.clear();
  }
}

function find(name: string): PublishedNetwork {
  const found = catalogue.find(({ id }) => id === name);
  if (found) return found;
  const ids = catalogue.map(({ id }) => id);
  throw new MettleError('not-found', `"${name}" is not in the catalogue.${didYouMean(name, ids)}`, {
    hint: 'See all with: mettle backbone add. Other networks: mettle backbone import, mettle backbone tap.',
  });
}

/** The publisher's address, or the same path at a mirror. */
function addressOf({ id, url, note }: PublishedNetwork, mirror: string | undefined): URL {
  if (url === null) throw new MettleError('not-found', `${id} has no address.`, { hint: note ?? '' });
  if (mirror === undefined) return new URL(url);
  if (!URL.canParse(mirror) || !/^https?:/.test(mirror)) {
    throw usageError(`--mirror "${mirror}" is no address; expected e.g. https://mirror.example/.`, command);
  }
  return new URL(new URL(url).pathname.slice(1), mirror.replace(/\/?$/, '/'));
}

async function agreed({ id }: PublishedNetwork, io: Io): Promise<boolean> {
  if (io.ask) return /^\s*y(es)?\s*$/i.test(await io.ask('Download and import it? [y/N] '));
  throw new MettleError('invalid-argument', `Whether to download ${id} must be said, and this is no terminal.`, {
    hint: `Say it: mettle backbone add ${id} --yes.`,
  });
}

const sizeText = ({ bytes, aboutBytes }: PublishedNetwork): string =>
  bytes !== null
    ? `${bytes} bytes`
    : aboutBytes !== null
      ? `about ${bytesText(aboutBytes)}`
      : 'size not known before the download';

function detailsText(network: PublishedNetwork, url: URL, out: string): string {
  const { id, title, sha256, license, as, note } = network;
  return [
    `${id}: ${title}`,
    `  from      ${url.origin}${url.pathname}`,
    `  size      ${sizeText(network)}`,
    `  SHA-256   ${sha256 ?? 'digest not known: the file is taken as it comes'}`,
    `  licence   ${license}`,
    `  becomes   ${as.format === 'tflite' ? 'a backbone tapped at the ends of its blocks' : `preset ${as.preset}`}`,
    `  into      ${oneLine(out)}`,
    ...(note ? [`  note      ${note}`] : []),
    '',
  ].join('\n');
}

function listText(): string {
  const width = Math.max(...catalogue.map(({ id }) => id.length));
  const lines = catalogue.map((network) => {
    const { id, title, license, url, sha256 } = network;
    const where = url === null ? 'no address' : sizeText(network);
    const digest = url === null ? '' : sha256 ? ', digest known' : ', digest not known';
    const there = isAdded(id) ? ', on this machine' : '';
    return `  ${id.padEnd(width)}  ${title}; ${license}; ${where}${digest}${there}\n`;
  });
  return `${lines.join('')}\nOne of them in full: mettle backbone add NAME\n`;
}
