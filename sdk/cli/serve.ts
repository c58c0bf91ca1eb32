/** `mettle serve`: a folder over HTTP, to try models and pages on this machine. */
import { readNumber, readOptions, usageError } from './options.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

const SERVE_HELP = `Usage
  mettle serve DIR [options]

Serves the files in DIR until Ctrl-C, to this machine alone: models for "mettle run --adapter URL", or a page. Ranges, tags and any
origin are answered as the hub asks; pages are isolated from other origins, so that WASM has its threads. Names that begin with a dot
and links that lead out of DIR are not served. Any page that is open in a browser here can read it; not meant for the open internet.

Options
  --port N            (default: 8080; 0 for any that is free)
  --address IP        of a network interface (default: 127.0.0.1, which only this machine reaches; 0.0.0.0 for all)
  --not-isolated      without the two headers for pages (Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy)
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code, after Ctrl-C. */
export async function serve(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('serve', {
    args: argv,
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      address: { type: 'string' },
      'not-isolated': { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(SERVE_HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (!folder || more.length > 0) throw usageError('Name one DIR.', 'serve');
  const { serveFolder } = await import('../node/publish/serve.ts');
  const serving = await serveFolder(folder, {
    port: readNumber('serve', 'port', values.port ?? '8080', { least: 0, most: 65_535 }),
    address: values.address ?? '127.0.0.1',
    isolated: !values['not-isolated'],
  });
  io.stdout.write(oneLine(`${folder} is at ${serving.url}   (Ctrl-C ends)`).concat('\n'));
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    else io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await serving.close();
  return 0;
}
