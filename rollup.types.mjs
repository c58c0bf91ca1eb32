/**
 * One declaration file per entry, from those that `tsc -p sdk` writes: it reaches no type of a dependency, and can be read by older compilers and without the libraries of
 * browser or Node. A copy with the other ending is for `require`.
 */
import { rm } from 'node:fs/promises';
import { dts } from 'rollup-plugin-dts';
import ts from 'typescript';

const entries = {
  index: 'index',
  train: 'train/index',
  export: 'export/index',
  explain: 'explain/index',
  plugin: 'plugin/index',
};

/** For `AsyncDisposable`. */
const needs = '/// <reference lib="esnext.disposable" />\n';

/** What a name of the platform means where the project's libraries know it; elsewhere nothing can be of that type. */
const platform =
  'type Platform<Name extends string> = typeof globalThis extends { [K in Name]: { prototype: infer T } } ? T : never;\n';

const portable = {
  name: 'portable',
  renderChunk(code) {
    return needs + wherePlatformLacks(beforeGenericArrays(withoutRuns(code)));
  },
};

/** Headers of modules stand before nothing here. */
const withoutRuns = (code) => code.replace(/\n{3,}/g, '\n\n');

/** Typed arrays take no parameter before TypeScript 5.7; what their `of` returns has it from then on. */
const beforeGenericArrays = (code) =>
  code
    .replace(/\b(\w+Array)<ArrayBufferLike>/g, '$1')
    .replace(/\b(\w+Array)<ArrayBuffer>/g, 'ReturnType<typeof $1.of>');

/** Names that the language itself does not have, as the compiler tells. Anything else that it complains about ends the build. */
function wherePlatformLacks(code) {
  const unknown = complaintsAbout(needs + code).map(({ code: number, start, length, messageText }) => {
    const name = code.slice(start - needs.length, start - needs.length + length);
    if (![2304, 2552, 2583, 2584].includes(number)) throw new Error(`${name}: ${messageText}`);
    return { name, start: start - needs.length };
  });
  let portable = code;
  for (const { name, start } of unknown.reverse()) {
    const rest = portable.slice(start + name.length);
    portable = `${portable.slice(0, start)}Platform<'${name}'>${rest.slice(argumentsOf(rest).length)}`;
  }
  return unknown.length > 0 ? platform + portable : portable;
}

/** `<...>` at the beginning of `code`: what the platform's type is of, which its instance does not tell. */
function argumentsOf(code) {
  let depth = 0;
  for (const [at, letter] of [...code].entries()) {
    if (letter === '<') depth++;
    if (letter === '>') depth--;
    if (depth === 0) return code.slice(0, letter === '>' ? at + 1 : 0);
  }
  return '';
}

function complaintsAbout(code) {
  const file = '/rolled.d.ts';
  const options = {
    lib: ['lib.es2022.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, code, ...rest) : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
}

const forRequire = {
  name: 'for-require',
  generateBundle(_, bundle) {
    for (const { fileName, code } of Object.values(bundle)) {
      this.emitFile({ type: 'asset', fileName: fileName.replace(/\.d\.ts$/, '.d.cts'), source: code });
    }
  },
};

const emptyFolder = {
  name: 'empty-folder',
  buildStart: () => rm(new URL('dist/types/', import.meta.url), { recursive: true, force: true }),
};

export default Object.entries(entries).map(([name, input], index) => ({
  input: { [name]: `.cache/types/${input}.d.ts` },
  external: (id) => !/^[./]/.test(id),
  plugins: [index === 0 && emptyFolder, dts(), portable, forRequire],
  output: { dir: 'dist/types', entryFileNames: '[name].d.ts', format: 'es' },
}));
