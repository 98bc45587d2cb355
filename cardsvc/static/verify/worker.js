// Keeps the page that checks receipts, so that it opens without a network. Fresh where there is one: the city's keys
// in the page may have changed.
const KEPT = "city-verify-1";
const FILES = [
  "/verify",
  "/verify?lang=en",
  "/verify?lang=fil",
  "/static/govuk/govuk-frontend.css",
  "/static/govuk/govuk-frontend.js",
  "/static/city.css",
  "/static/fonts/source-sans-3-latin-ext-wght-normal.woff2",
  "/static/fonts/source-sans-3-latin-wght-normal.woff2",
  "/static/mark.svg",
  "/static/page.js",
  "/static/verify/cbor.js",
  "/static/verify/log.js",
  "/static/verify/page.js",
  "/static/verify/receipt.js",
];

self.addEventListener("install", (event) => {
  const keep = async () => (await caches.open(KEPT)).addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const known = FILES.includes(url.pathname + url.search) || url.pathname === "/verify";
  if (event.request.method === "GET" && url.origin === self.location.origin && known) {
    event.respondWith(freshOrKept(event.request, url));
  }
});

async function freshOrKept(request, url) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(url.pathname + url.search, answer.clone());
    return answer;
  } catch (error) {
    const found = (await kept.match(url.pathname + url.search)) ?? (await kept.match(url.pathname));
    if (found) return found;
    throw error;
  }
}
