/**
 * Keeps the page's own files as they are asked for, and answers with them where there is no network. Models it leaves alone: the SDK keeps those itself, by digest. Lies
 * below what it serves, so its server has to send `Service-Worker-Allowed: /`.
 */
const name = 'page-files';
const first = ['./', './main.js'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(first)));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || pathname.includes('/adapters/')) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(name);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
