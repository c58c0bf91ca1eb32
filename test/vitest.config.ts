import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumFlags } from './helpers/chromium-flags.ts';
import { analyzeInNode, startFaults } from './helpers/commands.ts';

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
        },
      },
      {
        root,
        // Cross-origin isolation gives WASM its threads, as on a well-configured site.
        server: {
          // Reference films lie beside a checkout, where there are any.
          fs: { allow: ['.', '../shared/data'] },
          headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
        },
        optimizeDeps: { exclude: ['onnxruntime-web'] },
        test: {
          name: 'browser',
          include: ['test/{unit,browser}/**/*.test.ts'],
          testTimeout: 180_000,
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
