/** The guides on environments: their code is the code that is tried, and their table what the trial gave. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { environments } from '../embed/environments.ts';
import { guideTable, type Results } from '../embed/results.ts';

const fixtures = fileURLToPath(new URL('../embed/fixtures/', import.meta.url));
const results = new URL('../embed/results.json', import.meta.url);
const read = (name: string) => readFile(new URL(`../../sdk/docs/${name}`, import.meta.url), 'utf8');
const guides = { 'embed.md': await read('embed.md'), 'node.md': await read('node.md') };
const text = Object.values(guides).join('\n');

/** What is written after the backticks: language and name. */
const blocks = [...text.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(([, language, name, body]) => ({
  language: language!,
  name: name!,
  body: body!,
}));
const code = new Map(blocks.filter(({ language }) => language !== 'sh').map(({ name, body }) => [name, body]));
const commands = blocks.filter(({ language }) => language === 'sh');

/** Parts of a trial that no user writes, and pieces that the guide shows once for two folders. */
const untold = ['function-caller/call.js', 'assets/index.html', 'next/app/use-mettle.js'];

describe('the guides', () => {
  test('hold every file that is tried, to the letter', async () => {
    const folders = [...new Set(environments.flatMap((environment) => environment.fixtures))];
    const files = await Promise.all(
      folders.map(async (folder) => {
        const entries = await readdir(fixtures + folder, { recursive: true, withFileTypes: true });
        const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
        return paths.map((path) => path.slice(fixtures.length));
      }),
    );
    const told = files.flat().filter((path) => !untold.includes(path));
    expect([...code.keys()].sort()).toEqual(told.sort());
    for (const [path, body] of code) expect(body, path).toBe(await readFile(fixtures + path, 'utf8'));
  });

  test('what they show once for two folders is the same in both', async () => {
    const same = [
      ['assets/index.html', 'page/index.html'],
      ['next/app/use-mettle.js', 'react/src/use-mettle.js'],
    ];
    for (const [one, other] of same) {
      expect(await readFile(fixtures + one, 'utf8')).toBe(await readFile(fixtures + other, 'utf8'));
    }
  });

  test.for(commands)('$name: what is to be typed is what is typed', ({ name, body }) => {
    const environment = environments.find((candidate) => candidate.name === name)!;
    const lines = body.trim().split('\n');
    const installed = lines.filter((line) => line.includes('npm install')).flatMap((line) => line.split(' ').slice(2));
    const packages = installed.filter((word) => !word.startsWith('-') && word !== 'install' && word !== 'mettle-edge');
    const known = Object.entries(environment.packages ?? {}).flatMap(([id, version]) => [id, `${id}@${version}`]);
    for (const word of packages) expect(known).toContain(word);
    const typed = environment.runs.flatMap((run) => [
      ...(run.before ?? []),
      ...('program' in run ? [run.program] : []),
    ]);
    const others = lines.filter((line) => !line.includes('npm install'));
    for (const line of others) expect([...(environment.prepare ?? []), ...typed]).toContain(line);
  });

  test('the table is what the last trials gave, and nothing in it failed', async () => {
    const kept: Results = JSON.parse(await readFile(results, 'utf8'));
    expect(guides['embed.md']).toContain(guideTable(kept));
    const names = kept.environments.map(({ name }) => name);
    expect(environments.filter(({ name }) => names.includes(name)).map(({ name }) => name)).toEqual(names);
    const failed = kept.environments.flatMap(({ name, runs }) => runs.map(({ run, error }) => ({ name, run, error })));
    expect(failed.filter(({ error }) => error)).toEqual([]);
  });
});
