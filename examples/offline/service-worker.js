/**
 * Keeps the page's own files as they are asked for, and answers with them where there is no network. Weights of models it leaves alone: the SDK keeps those itself, by
 * digest. Lies below what it serves, so its server has to send `Service-Worker-Allowed: /`.
 */
const name = 'page-files';
const weights = /\.(onnx|safetensors)$/;

self.addEventListener('install', () => self.skipWaiting());

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || weights.test(pathname)) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(name);
  try {
    const response = await fetch(request);
    // Parts of a file cannot be kept.
    if (response.status === 200) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
