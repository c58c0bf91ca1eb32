/** The page without network, and as an app of its own on the device. */
import { serviceWorkerInCharge } from '../offline/in-charge.js';

const $ = (id) => document.getElementById(id);

/** Settled when what is loaded from now on is kept. Where there is no service worker, the page does without. */
export const kept = keep();

async function keep() {
  if (!('serviceWorker' in navigator)) return;
  try {
    await serviceWorkerInCharge();
    $('offline').textContent = 'Works without network; models are kept once they were loaded.';
  } catch {
    $('offline').textContent = 'This browser keeps nothing of the page: it needs the network.';
  }
}

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  $('install').hidden = false;
  $('install').onclick = () => event.prompt();
});
addEventListener('appinstalled', () => {
  $('install').hidden = true;
});
