/** `mettle keygen`: a pair of keys for who publishes models. */
import { readOptions, usageError } from './options.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

const KEYGEN_HELP = `Usage
  mettle keygen FILE

Writes a new private key to FILE, which nobody else may read, and its public key to FILE.pub; both are PEM files of Ed25519.
Prints the public key as others pin it. Files that are there are never written over.

Options
  --json              print JSON
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code. */
export async function keygen(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('keygen', {
    args: argv,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    io.stdout.write(KEYGEN_HELP);
    return 0;
  }
  const [file, ...more] = positionals;
  if (!file || more.length > 0) throw usageError('Name one FILE.', 'keygen');
  const { writeKeys } = await import('../node/publish/keys.ts');
  const publisher = await writeKeys(file);
  io.stdout.write(
    values.json
      ? `${JSON.stringify({ private: file, public: `${file}.pub`, publisher })}\n`
      : `${oneLine(`${file} signs: keep it, and give it to nobody.`)}\n${oneLine(`${file}.pub is for everybody; pinned as ${publisher}`)}\n`,
  );
  return 0;
}
