import { createReadStream, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { chromiumFlags } from './helpers/chromium-flags.ts';
import { analyzeInNode, startFaults } from './helpers/commands.ts';

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves the runtime's files as npm installed them: Vite rewrites scripts, and those of the runtime are checked byte for byte. */
const runtimeAsItIs: Plugin = {
  name: 'runtime-as-it-is',
  configureServer({ middlewares }) {
    middlewares.use((request, response, next) => {
      const [, name] = /^\/node_modules\/onnxruntime-web\/dist\/([\w.-]+\.(?:mjs|wasm))$/.exec(request.url ?? '') ?? [];
      if (!name) return next();
      const file = new URL(`../node_modules/onnxruntime-web/dist/${name}`, import.meta.url);
      response.writeHead(200, {
        ...isolation,
        'Content-Type': name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript',
        'Content-Length': statSync(file).size,
      });
      createReadStream(file).pipe(response);
    });
  },
};

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          name: 'node',
          include: ['test/{unit,node,packaging}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        root,
        plugins: [runtimeAsItIs],
        // Cross-origin isolation gives WASM its threads, as on a well-configured site.
        server: {
          // Reference films lie beside a checkout, where there are any.
          fs: { allow: ['.', '../shared/data'] },
          headers: isolation,
        },
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        test: {
          name: 'browser',
          include: ['test/{unit,browser}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            commands: { startFaults, analyzeInNode },
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args: chromiumFlags },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
