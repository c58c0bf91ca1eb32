/** What killed processes leave behind, results that are replaced, and texts that would steer a terminal. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsonText } from '../../sdk/contract/plain-text.ts';
import { DiskStore } from '../../sdk/node/files/file-store.ts';
import { PackageFolder } from '../../sdk/node/files/package-folder.ts';
import { savePackage } from '../../sdk/node/files/save-package.ts';
import { stagingName } from '../../sdk/node/files/staging.ts';
import { writeResults } from '../../sdk/node/output/write.ts';
import { toWebVTT } from '../../sdk/tasks/export.ts';
import { findings } from '../helpers/findings.ts';
import { mettle } from '../helpers/mettle-command.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-staging-'));
});
afterEach(() => rm(root, { recursive: true }));

/** The name that a process which is gone, or one that still runs, would have given. */
const nameBy = (pid: number, name: string): string => stagingName(name).replace(`-${process.pid}-`, `-${pid}-`);
const gone = (): number => spawnSync('true').pid;

async function leave(name: string): Promise<string> {
  await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, name, 'half'), 'written');
  return name;
}

describe('the next run removes what a killed one left', () => {
  test.each<[string, string, (out: string) => Promise<unknown>]>([
    ['of a package', 'out', async (out) => void (await (await PackageFolder.create(out))[Symbol.asyncDispose]())],
    ['of a finished package', 'out', (out) => savePackage(out, { 'a.txt': new Uint8Array(1) })],
    ['of results', 'out', (out) => writeResults(out, findings())],
  ])('%s, and nothing else', async (_, name, run) => {
    await leave(nameBy(gone(), name));
    const others = [
      await leave(nameBy(process.ppid, name)),
      await leave(nameBy(gone(), 'other')),
      await leave('.out.mine'),
    ];
    await run(join(root, name));
    expect((await readdir(root)).filter((entry) => entry !== name).sort()).toEqual(others.sort());
  });

  test('in a folder of results that is there already', async () => {
    await leave(join('out', nameBy(gone(), 'mettle')));
    await writeResults(join(root, 'out'), findings());
    expect((await readdir(join(root, 'out'))).filter((entry) => entry.startsWith('.'))).toEqual([]);
  });

  test('in a store of files', async () => {
    await writeFile(join(root, nameBy(gone(), 'a.bin')), 'half');
    await new DiskStore(root).save('b.bin', new Uint8Array(1));
    expect(await readdir(root)).toEqual(['b.bin']);
  });

  test('and puts back a package that was moved away and not replaced', async () => {
    await mkdir(join(root, 'out'));
    await writeFile(join(root, 'out', 'manifest.json'), '{"kind":"backbone","files":[]}');
    await rename(join(root, 'out'), join(root, `${nameBy(gone(), 'out')}.old`));
    await (await PackageFolder.create(join(root, 'out'), { force: true }))[Symbol.asyncDispose]();
    expect(await readdir(root)).toEqual(['out']);
    expect(await readFile(join(root, 'out', 'manifest.json'), 'utf8')).toContain('backbone');
  });
});

test('results that are replaced are there at every moment', async () => {
  const out = join(root, 'out');
  await writeResults(out, findings());
  let running = true;
  const files = ['results.json', 'events.vtt', 'report.html', 'masks/000.png'];
  const watching = (async () => {
    let looks = 0;
    for (; running; looks++) {
      for (const file of files) if (!existsSync(join(out, file))) return `${file} was gone`;
      await setImmediate();
    }
    return looks;
  })();
  for (let i = 0; i < 5; i++) await writeResults(out, findings());
  running = false;
  expect(await watching).toBeGreaterThan(5);
});

describe('control characters', () => {
  const evil = 'dog\u001b[31m\u0000\u009b2J\u202e\u2028\r\nNOTE --> x';

  test('reach no cue', () => {
    const { results } = findings();
    const [first] = results as unknown as { events: { label: string }[] }[];
    first!.events[0]!.label = evil;
    const text = toWebVTT(results);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
    expect(text.match(/-->/g)!.length).toBe(
      text.split('\n').filter((line) => /^\d\d:\d\d:\d\d\.\d{3} --> /.test(line)).length,
    );
  });

  test('are written as escapes in JSON, which means the same', () => {
    for (const space of [undefined, 2]) {
      const text = jsonText({ [evil]: [evil] }, space);
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
      expect(JSON.parse(text)).toEqual({ [evil]: [evil] });
    }
  });

  test('of a file reach no terminal, as text or as JSON', async () => {
    await writeFile(
      join(root, 'events.csv'),
      `file,onset,offset,label\na\u009b31m.mp4,0,1,"${evil.replace(/[\r\n\0]/g, '')}"\n`,
    );
    for (const more of [[], ['--json']]) {
      const { out, err } = await mettle(['data', 'check', root, '--fast', ...more]);
      expect(`${out}${err}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
    }
  });
});
