/** What a page does so that its files are kept: the service worker beside this script takes charge of it, and is told what was loaded before. */

/** Resolves when what the page asks for from now on is kept. Rejects where the browser allows no service worker. */
export async function serviceWorkerInCharge() {
  const address = (path) => new URL(path, import.meta.url);
  const before = await navigator.serviceWorker.getRegistration();
  await navigator.serviceWorker.register(address('service-worker.js'), { scope: address('../../') });
  // With an active worker and none in charge, the page was reloaded past it on purpose.
  if (navigator.serviceWorker.controller || before?.active) return;
  await new Promise((resolve) => {
    navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
  });
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  const own = [location.href, ...loaded].filter((name) => name.startsWith(location.origin));
  await Promise.all(own.map((name) => fetch(name)));
}
