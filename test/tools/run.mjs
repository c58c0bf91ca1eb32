/**
 * Runs vitest with a real browser: finds a Chrome or Chromium, else installs one where it may, else says what to type. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const onPath = (name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim();

/** Path of a browser that can be driven, or undefined. */
function findBrowser() {
  const places = [
    process.env.CHROME_PATH,
    ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map(onPath),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    chromium.executablePath(),
  ];
  return places.find((place) => place && existsSync(place));
}

/** Debian and Ubuntu as root: the distribution's own packages. */
function installBrowser() {
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return;
  console.error('No Chrome or Chromium found: installing the packages "chromium" and "libvulkan1".');
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['update', '-q'], options);
  spawnSync('apt-get', ['install', '-qy', '--no-install-recommends', 'chromium', 'libvulkan1'], options);
}

if (!findBrowser()) installBrowser();
const browser = findBrowser();
if (!browser) {
  console.error('The browser tests need Chrome or Chromium. Run: npx playwright-core install --with-deps chromium');
  process.exit(2);
}
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, CHROME_PATH: browser },
  },
);
process.exit(status ?? 1);
