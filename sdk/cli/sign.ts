/** `mettle sign`: a publisher vouches for a model, or for a list of models. */
import { readOptions, usageError } from './options.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

const SIGN_HELP = `Usage
  mettle sign DIR --key FILE

Checks every file of the model in DIR, and signs its manifest.json, which holds their digests; or the registry.json in DIR, which
holds those of manifests. Signatures of other keys stay as far as they hold, so that a key can be followed by another.
Signing changes the document's own digest: a registry is written, and a pin is made, afterwards.

Options
  --key FILE          the private key: a PEM file of Ed25519, as "mettle keygen" writes it
  --json              print JSON
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code. */
export async function sign(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('sign', {
    args: argv,
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(SIGN_HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (!folder || more.length > 0) throw usageError('Name one DIR.', 'sign');
  if (!values.key) throw usageError('--key FILE is missing.', 'sign');
  const { readPrivateKey } = await import('../node/publish/keys.ts');
  const { signFolder } = await import('../node/publish/sign.ts');
  const key = await readPrivateKey(values.key);
  const notes = key.open ? [`${values.key} can be read by others on this machine: chmod 600 it.`] : [];
  const { path, integrity, signers, dropped } = await signFolder(folder, key, io.signal);
  notes.push(...dropped.map((other) => `The signature of ${other} was of other content, and is gone.`));
  for (const note of notes) io.stderr.write(`warning: ${oneLine(note)}\n`);
  const lines = [`${path}: signed by ${signers.join(', ')}`, `  digest ${integrity}`];
  io.stdout.write(
    values.json
      ? `${JSON.stringify({ path, integrity, signers, dropped })}\n`
      : lines.map((line) => `${line}\n`).join(''),
  );
  return 0;
}
