/** The plugin for Vite: serves the folder from the package's own files in development, writes it in a build, both below `base`. */
import { extname, join, resolve } from 'node:path';
import { folderReader, writeFolder } from './folder.ts';
import { addressName, type Chosen, chosen, type PluginOptions } from './options.ts';

type Next = (error?: unknown) => void;
type Handler = (request: Request, response: Response, next: Next) => void;
type Headers = Record<string, number | string | string[] | undefined>;
/** What is used of Node's messages. */
type Request = { url?: string; method?: string };
type Response = {
  setHeader(name: string, value: number | string | string[]): unknown;
  end(body?: Uint8Array): unknown;
};
/** What is used of Vite's resolved configuration and of its server. */
type Config = { base: string; root: string; build: { outDir: string; ssr: unknown }; server: { headers?: Headers } };
type Server = { middlewares: { use(handler: Handler): unknown } };

export type VitePlugin = {
  name: string;
  enforce: 'post';
  config(config: { base?: string }, env: { command: string }): { define: Record<string, string> };
  configResolved(config: Config): void;
  configureServer(server: Server): void;
  writeBundle(): Promise<void>;
};

/** For `plugins` of vite.config.js. Throws `invalid-argument` for options that it does not know. */
export function vite(options?: PluginOptions): VitePlugin {
  const choice = chosen(options);
  let address = '';
  let config: Config;
  return {
    name: 'mettle-edge',
    enforce: 'post',
    config({ base = '/' }, { command }) {
      address = (command === 'serve' ? servedBase(base) : base || './').replace(/\/?$/, `/${choice.path}/`);
      return { define: { [addressName]: JSON.stringify(address) } };
    },
    configResolved(resolved) {
      config = resolved;
    },
    configureServer({ middlewares }) {
      middlewares.use(serve(address, choice, config.server.headers ?? {}));
    },
    async writeBundle() {
      if (!config.build.ssr) await writeFolder(join(resolve(config.root, config.build.outDir), choice.path), choice);
    },
  };
}

/** Vite's server has no host in its base, and nothing that is relative. */
function servedBase(base: string): string {
  if (URL.canParse(base)) return new URL(base).pathname;
  return base.startsWith('/') ? base : '/';
}

/** Answers for addresses below `address`, with the headers that the server gives everything: a page that is cross-origin isolated demands them of its workers. */
function serve(address: string, choice: Chosen, headers: Headers): Handler {
  const read = folderReader(choice);
  return (request, response, next) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (!pathname.startsWith(address)) return next();
    read(pathname.slice(address.length)).then((bytes) => {
      if (!bytes) return next();
      for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
      response.setHeader('Content-Type', mediaType(pathname));
      response.setHeader('Content-Length', bytes.byteLength);
      response.setHeader('Cache-Control', 'no-cache');
      response.end(request.method === 'HEAD' ? undefined : bytes);
    }, next);
  };
}

/** Browsers run no script and stream no WebAssembly of another type. */
function mediaType(path: string): string {
  switch (extname(path)) {
    case '.js':
    case '.mjs':
      return 'text/javascript';
    case '.wasm':
      return 'application/wasm';
    case '.json':
      return 'application/json';
    default:
      return 'application/octet-stream';
  }
}
