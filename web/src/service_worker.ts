/** Keeps the page itself (not its data), so that it opens without a network. */

declare const self: ServiceWorkerGlobalScope;
/** Files of this version of the page, and those of them that only browsers with, or without, relaxed SIMD load. */
declare const SHELL: { name: string; files: string[]; relaxed: string[]; plain: string[] };

const PREFIX = "savor-device-";
const CACHE = PREFIX + SHELL.name;
const PAGE = "./";
/** A module with one instruction of relaxed SIMD. */
const RELAXED = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
);

self.addEventListener("install", (event) => {
  const runtime = WebAssembly.validate(RELAXED) ? SHELL.relaxed : SHELL.plain;
  const added = caches.open(CACHE).then((cache) => cache.addAll([PAGE, ...SHELL.files, ...runtime]));
  event.waitUntil(added);
});

self.addEventListener("activate", (event) => event.waitUntil(begin()));

self.addEventListener("message", ({ data }) => {
  if (data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const { pathname } = new URL(PAGE, self.location.href);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === pathname) event.respondWith(kept(PAGE, request));
  else if (SHELL_PATHS.has(url.pathname)) event.respondWith(kept(url.pathname, request));
});

const SHELL_PATHS = new Set(
  [...SHELL.files, ...SHELL.relaxed, ...SHELL.plain].map((name) => new URL(name, self.location.href).pathname),
);

/** Drop what versions before this one kept, and serve the pages that are open. */
async function begin(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function kept(name: string, request: Request): Promise<Response> {
  const found = await (await caches.open(CACHE)).match(name);
  return found ?? fetch(request);
}

export {};
