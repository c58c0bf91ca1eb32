/** `mettle cache`: what earlier runs kept on this machine. */
import { bytesText } from '../contract/limits.ts';
import { readNumber, readOptions, usageError } from './options.ts';
import { oneLine } from './terminal.ts';
import type { Io } from './types.ts';

const CACHE_HELP = `Usage
  mettle cache list                what is kept, and where
  mettle cache verify              hash everything; what is damaged is removed and comes again with the next load
  mettle cache prune               remove leftovers, then the models used least lately until at most --max-mb are taken
  mettle cache delete ID           remove the models with this id

Models are kept in $METTLE_CACHE, else in the folder for caches of the operating system. Those that ship with the package are read where they lie.

Options
  --max-mb X          megabytes that "prune" leaves (default: 1000)
  --cache DIR         another folder
  --json              print JSON
  --verbose           print the stack of an internal fault
`;

/** Returns the exit code: 2 where "verify" finds damage. */
export async function cache(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('cache', {
    args: argv,
    allowPositionals: true,
    options: {
      cache: { type: 'string' },
      'max-mb': { type: 'string' },
      json: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(CACHE_HELP);
    return 0;
  }
  const [action, argument, ...more] = positionals;
  const extra = action === 'delete' ? more[0] : argument;
  if (extra !== undefined) throw usageError(`"${oneLine(extra)}" is too much.`, 'cache');
  const { openCache } = await import('../hub/cache.ts');
  const store = await openCache({ cache: values.cache });
  const print = (result: object, text: string): void => {
    io.stdout.write(values.json ? `${JSON.stringify(result)}\n` : text);
  };
  switch (action) {
    case 'list': {
      const [models, bytes] = [await store.list(), await store.size()];
      const lines = models.map(({ kind, id, version, bytes, used, address }) => {
        const size = bytesText(bytes).padStart(9);
        return `  ${size}  ${used.toISOString().slice(0, 10)}  ${kind} ${oneLine(`${id} ${version}  ${address}`)}\n`;
      });
      print({ place: store.place, bytes, models }, `${oneLine(store.place)}: ${bytesText(bytes)}\n${lines.join('')}`);
      return 0;
    }
    case 'verify': {
      const found = await store.verify({ signal: io.signal });
      print(found, `${found.files} files, ${bytesText(found.bytes)}: ${found.damaged} damaged and removed\n`);
      return found.damaged > 0 ? 2 : 0;
    }
    case 'prune': {
      const megabytes = readNumber('cache', 'max-mb', values['max-mb'] ?? '1000', { least: 0, whole: false });
      const freed = await store.prune(megabytes * 1e6);
      print({ freed }, `${bytesText(freed)} are free now\n`);
      return 0;
    }
    case 'delete': {
      if (!argument) throw usageError('Name the ID of a model.', 'cache');
      const freed = await store.delete(argument);
      print({ freed }, `${bytesText(freed)} are free now\n`);
      return 0;
    }
    default:
      throw usageError(action ? `"${action}" is none of list, verify, prune, delete.` : 'Say what to do.', 'cache');
  }
}
