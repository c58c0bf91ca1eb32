/** `mettle pack`: a folder that is ready to be published. */
import { usualChunkBytes } from '../compile/package.ts';
import { bytesText, limits } from '../contract/limits.ts';
import { jsonText, spacedLine } from '../contract/plain-text.ts';
import type { Packed } from '../node/publish/pack.ts';
import { readNumber, readOptions, usageError } from './options.ts';
import { ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

const PACK_HELP = `Usage
  mettle pack DIR [options]

Makes the folder of a model ready to be published: reads every file and refuses what readers would refuse, lists documents as they are
now (README.md, LICENSE, NOTICE and reports, which you may edit), adds digests of pieces, so that a broken download goes on from the
last good one, and writes manifest.json again. Says how large it is, and which hosts take that. Sign afterwards.

Options
  --chunk-mb X        MiB of a piece (default: ${usualChunkBytes / 2 ** 20})
  --npm NAME          write package.json too, for "npm publish": others load npm:NAME@version
  --check             change nothing; ends with 2 where something would be
  --json              print JSON
  --quiet             print nothing but errors
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code. */
export async function pack(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('pack', {
    args: argv,
    allowPositionals: true,
    options: {
      'chunk-mb': { type: 'string' },
      npm: { type: 'string' },
      check: { type: 'boolean' },
      json: { type: 'boolean' },
      quiet: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(PACK_HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (!folder || more.length > 0) throw usageError('Name one DIR.', 'pack');
  const MiB = 2 ** 20;
  const range = { least: limits.chunkBytes / MiB, most: limits.fileBytes / MiB, whole: false };
  const chunkBytes = Math.round(
    MiB * readNumber('pack', 'chunk-mb', values['chunk-mb'] ?? `${usualChunkBytes / MiB}`, range),
  );
  const { packFolder } = await import('../node/publish/pack.ts');
  const bar = new ProgressBar(io.stderr, !values.quiet);
  try {
    const packed = await packFolder(folder, {
      chunkBytes,
      npm: values.npm,
      check: values.check,
      signal: io.signal,
      onProgress: ({ path, done, total }) => bar.update(path, done, total, `${bytesText(done)} of ${bytesText(total)}`),
    });
    bar.clear();
    if (values.json) io.stdout.write(`${jsonText(report(packed))}\n`);
    else if (!values.quiet) io.stdout.write(text(packed, values.check === true));
    return values.check && packed.changed ? 2 : 0;
  } finally {
    bar.clear();
  }
}

function report({ manifest, ...rest }: Packed) {
  const { kind, id, version, files } = manifest;
  return { kind, id, version, files, ...rest };
}

function text({ manifest, integrity, changed, bytes, hosts, notes }: Packed, check: boolean): string {
  const { kind, id, version, files } = manifest;
  const state = !changed ? 'as it was' : check ? 'would be written again' : 'written';
  const lines = [
    `${kind} ${id} ${version}: ${files.length} files, ${bytesText(bytes)}`,
    ...files.map((file) => {
      const pieces = file.chunks ? `  in ${file.chunks.length} pieces` : '';
      return `  ${bytesText(file.bytes).padStart(10)}  ${file.path}${pieces}`;
    }),
    `manifest.json: ${state}, digest ${integrity}`,
    'Hosts',
    ...hosts.map(({ name, fits, limit }) => `  ${fits ? 'fits     ' : 'too large'}  ${name} (${limit})`),
    ...(notes.length > 0 ? ['Notes', ...notes.map((note) => `  - ${note}`)] : []),
  ];
  return lines.map((line) => `${spacedLine(line)}\n`).join('');
}
