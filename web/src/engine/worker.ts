/** The worker: everything but the page itself happens here. */
import { Engine } from "./engine";
import { openStore } from "./indexed_store";
import type { Answer, News, Request } from "./protocol";

const send = (message: News | Answer) => self.postMessage(message);
const engine = openStore().then((store) => new Engine(store, send));

self.addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  try {
    const call = (await engine)[data.call] as (...values: unknown[]) => unknown;
    send({ id: data.id, value: await call.apply(await engine, data.values) });
  } catch (error) {
    send({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
});
