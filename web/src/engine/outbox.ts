import { randomName } from "./random_name";
import { ask, Away, Refusal } from "./server";
import type { KeptEvent, Store } from "./store";

const AT_ONCE = 200;
const SOONEST = 5_000;
const LATEST = 15 * 60_000;

/**
 * Sends what the person did, if they agreed to it: in batches, oldest first, again and again until the server has it.
 *
 * The server knows an event by its id, so that one that is sent twice counts once.
 */
export class Outbox {
  private timer = 0;
  private pause = SOONEST;
  private sending: Promise<void> | null = null;

  /** @param changed called after events were sent or refused. */
  constructor(
    private readonly store: Store,
    private readonly changed: () => void,
  ) {}

  /** Send what waits, now and, where that fails, after pauses that grow; of several calls at a time one works. */
  send(): Promise<void> {
    this.pause = SOONEST;
    return this.attempt();
  }

  private attempt(): Promise<void> {
    return (this.sending ??= this.sendAll().finally(() => (this.sending = null)));
  }

  private async sendAll(): Promise<void> {
    clearTimeout(this.timer);
    try {
      while (await this.store.get("consent")) {
        const batch = (await this.store.events()).filter(({ upload }) => upload === "waits").slice(0, AT_ONCE);
        if (!batch.length) return;
        await this.sendBatch(batch);
        this.changed();
      }
    } catch (error) {
      if (!(error instanceof Away) && !(error instanceof Refusal)) throw error;
      this.timer = setTimeout(() => void this.attempt(), this.pause);
      this.pause = Math.min(2 * this.pause, LATEST);
    }
  }

  private async sendBatch(batch: readonly KeptEvent[]): Promise<void> {
    const visitor = await this.visitor();
    const body = batch.map(({ event_id, item_id, kind, time, list, position }) => {
      return { event_id, user_id: visitor, kind, item_id, time, recommendation_id: list, position };
    });
    const headers = { "content-type": "application/json" };
    const key = (await this.store.get("key")) ?? "";
    let upload: KeptEvent["upload"] = "sent";
    try {
      await ask("events", key, { method: "POST", headers, body: JSON.stringify(body) });
    } catch (error) {
      if (!(error instanceof Refusal) || ![400, 413, 422].includes(error.status)) throw error;
      upload = "refused";
    }
    // What was forgotten meanwhile stays forgotten.
    const there = new Set((await this.store.events()).map(({ event_id }) => event_id));
    await this.store.keep(batch.filter(({ event_id }) => there.has(event_id)).map((event) => ({ ...event, upload })));
  }

  /** Who the events are of: somebody without a name, and not the name by which the server knows the device. */
  private async visitor(): Promise<string> {
    const known = await this.store.get("visitor");
    if (known) return known;
    const made = `visitor-${randomName()}`;
    await this.store.put("visitor", made);
    return made;
  }
}
