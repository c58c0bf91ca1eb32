/** The command line in this process: `mettle` with these words, and what it wrote. */
import { main } from '../../sdk/cli/main.ts';

export async function mettle(
  argv: string[],
  signal?: AbortSignal,
): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const writer = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text;
      return true;
    },
  });
  const code = await main(argv, { stdout: writer('out'), stderr: writer('err'), signal });
  return { code, ...written };
}
