/** What is written about the package: that it is about this package, whole, and that its links lead somewhere for who has only the package. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

describe('the API reference', () => {
  let fresh: string;
  beforeAll(async () => {
    fresh = await mkdtemp(join(tmpdir(), 'mettle-api-'));
  });
  afterAll(() => rm(fresh, { recursive: true, force: true }));

  test('leaves nothing public without a docstring, and is that of today: npm run docs makes it again', async () => {
    const command = ['node_modules/typedoc/bin/typedoc', '--options', '.typedoc.json', '--out', fresh];
    // Its exit code tells of exports and members that say nothing of themselves, and of links between docstrings that lead nowhere.
    const { stderr } = await run(process.execPath, command, { cwd: root });
    expect(stderr).toBe('');
    const committed = join(root, 'sdk/docs/api');
    const pages = async (folder: string) => (await readdir(folder, { recursive: true })).filter(isMarkdown).sort();
    expect(await pages(committed)).toEqual(await pages(fresh));
    for (const page of await pages(fresh)) {
      expect(await readFile(join(committed, page), 'utf8')).toBe(await readFile(join(fresh, page), 'utf8'));
    }
  }, 180_000);
});

describe('the picture of the house in README.md', () => {
  test('names the folders that there are, and no others', async () => {
    const drawn = foldersIn(await read('README.md'));
    const parents = new Set([...drawn].map((folder) => posix.dirname(folder)));
    expect(parents).toContain('sdk/train');
    for (const parent of parents) {
      const there = parent === '.' ? await tracked() : await foldersOf(parent);
      expect([...drawn].filter((folder) => posix.dirname(folder) === parent).sort()).toEqual(there.sort());
    }
  });

  test('names no file that is not there', async () => {
    const files = [...pictureOf(await read('README.md')).matchAll(/(?:^ {2}|[;,] | and )([a-z-]+\.ts)\b/gm)];
    expect(files.length).toBeGreaterThanOrEqual(4);
    const there = await readdir(join(root, 'sdk'));
    for (const [, file] of files) expect(there).toContain(file);
  });
});

describe('links', () => {
  test('of every page in the package lead to a file in it, and to a heading that is there', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const files: string[] = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path);
    const pages = files.filter(isMarkdown);
    expect(pages).toContain('README.md');
    expect(pages).toContain('sdk/docs/README.md');
    const dead: string[] = [];
    for (const page of pages) {
      for (const link of linksIn(await read(page))) {
        const [path = '', heading] = link.split('#');
        const target = path === '' ? page : posix.normalize(posix.join(dirname(page), decodeURIComponent(path)));
        const found = files.includes(target) && (!heading || anchorsIn(await read(target)).has(heading));
        if (!found) dead.push(`${page}: ${link}`);
      }
    }
    expect(dead).toEqual([]);
  });

  test('of sdk/docs/README.md name every guide', async () => {
    const guides = (await readdir(join(root, 'sdk/docs'))).filter((name) => isMarkdown(name) && name !== 'README.md');
    const named = linksIn(await read('sdk/docs/README.md'));
    for (const guide of [...guides, 'api/README.md']) expect(named).toContain(guide);
  });
});

const isMarkdown = (path: string): boolean => path.endsWith('.md');

/** Paths that are relative; addresses of other hosts are not asked for. */
function linksIn(page: string): string[] {
  const prose = page.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/i.test(link));
}

/** Headings as GitHub makes anchors of them, and anchors that are written out. */
function anchorsIn(page: string): Set<string> {
  const anchors = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!));
  for (const [, title] of page.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)) {
    const plain = title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = plain;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${plain}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

const pictureOf = (readme: string): string => /^## The house\n+```\n(.*?)^```/ms.exec(readme)![1]!;

/** Two spaces a level; a line may name several folders of one level before it says what they are. */
function foldersIn(readme: string): Set<string> {
  const folders = new Set<string>();
  const path: string[] = [];
  for (const line of pictureOf(readme).split('\n')) {
    const [, indent, names] = /^( *)((?:[a-z-]+\/ *)+)/.exec(line) ?? [];
    if (names === undefined) continue;
    path.length = indent!.length / 2;
    for (const name of names.split('/').map((part) => part.trim())) {
      if (name === '') continue;
      path[indent!.length / 2] = name;
      folders.add(path.join('/'));
    }
  }
  return folders;
}

async function foldersOf(parent: string): Promise<string[]> {
  const entries = await readdir(join(root, parent), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => posix.join(parent, name));
}

/** Folders at the top that are the project's own and not made or installed. */
async function tracked(): Promise<string[]> {
  const ignored = new Set((await read('.gitignore')).split('\n').map((line) => line.replaceAll('/', '')));
  return (await foldersOf('.')).filter((name) => !name.startsWith('.') && !ignored.has(name));
}
