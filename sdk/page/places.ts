/**
 * Where a page finds what it loads by itself: worker scripts, the runtime's files, models. No bundler sees any of it. Either all of it lies in one folder that `mettle
 * assets` wrote, which may be named or hold this script too; or it lies as npm and its mirrors lay out this package.
 */
import { assetsHint } from '../contract/assets-hint.ts';
import { runtimeVersion } from '../contract/version.ts';
import type { ScriptName } from '../contract/worker.ts';
import { MettleError } from '../errors.ts';

export type Places = {
  script(name: ScriptName): URL;
  /** Folder of the runtime's `.mjs` and `.wasm` files. */
  runtime: URL;
  /** Folder of registry.json. */
  models: URL;
};

/** Apart from `new URL`, because bundlers take the two together for a file to copy. Empty in the build that bundlers take, which must not hold a path of theirs. */
const here = import.meta.url;

/** Where the plugin for bundlers puts the folder; nothing defines it otherwise. */
declare const __METTLE_ASSETS__: string | undefined;
const ofPlugin = typeof __METTLE_ASSETS__ === 'string' ? __METTLE_ASSETS__ : undefined;

/** Throws `not-found` where nothing tells where to look, as in the output of a bundler without `assets`. */
export function placesOf(assets: string | undefined = ofPlugin): Places {
  if (assets !== undefined) return folderPlaces(assets);
  if (!/^https?:/.test(here)) {
    throw new MettleError('not-found', "This bundle does not know where the package's files lie.", {
      hint: assetsHint,
    });
  }
  const { pathname } = new URL(here);
  if (pathname.endsWith('.ts')) return sourcePlaces();
  // The front may itself lie in a folder that `mettle assets` wrote.
  return /\/dist\/page\/[^/]+$/.test(pathname) ? packagePlaces() : folderPlaces(new URL('.', here).href);
}

function folderPlaces(assets: string): Places {
  const base = globalThis.document?.baseURI ?? globalThis.location.href;
  const folder = assets.replace(/\/?$/, '/');
  if (!URL.canParse(folder, base)) {
    throw new MettleError('invalid-argument', `options.assets is "${assets}"; expected the URL of a folder.`);
  }
  const root = new URL(folder, base);
  return {
    script: (name) => new URL(`${name}.js`, root),
    runtime: new URL('runtime/', root),
    models: new URL('models/', root),
  };
}

/** `mettle-edge/dist/page/` beside `onnxruntime-web/dist/`, as in node_modules and on mirrors of npm, where a version may follow the name. */
function packagePlaces(): Places {
  const runtime = /\/mettle-edge@[^/]+\/dist\//.test(here)
    ? here.replace(/\/mettle-edge@[^/]+\/dist\/.*$/, `/onnxruntime-web@${runtimeVersion}/dist/`)
    : new URL('../../../onnxruntime-web/dist/', here).href;
  return {
    script: (name) => new URL(`${name}.js`, here),
    runtime: new URL(runtime),
    models: new URL('../../adapters/', here),
  };
}

/** A checkout that Vite serves, whose word for scripts of workers this is. */
function sourcePlaces(): Places {
  const asked = {
    'in-thread': '',
    'decode-worker': '?worker_file&type=module',
    'engine-worker': '?worker_file&type=module',
  };
  return {
    script: (name) => new URL(`../work/${name}.ts${asked[name]}`, here),
    runtime: new URL('../../node_modules/onnxruntime-web/dist/', here),
    models: new URL('../../adapters/', here),
  };
}
