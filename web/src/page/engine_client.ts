import type { Answer, Calls, News } from "../engine/protocol";

declare const WORKER: string;

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void };

/** The worker, as functions that promise an answer. */
export class EngineClient {
  private readonly worker = new Worker(WORKER);
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /**
   * @param heard called with what the worker says on its own.
   * @param failed called where the worker cannot run at all.
   */
  constructor(heard: (news: News) => void, failed: (reason: string) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<News | Answer>) => {
      if ("news" in data) return heard(data);
      const waiting = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data.value as never);
      return undefined;
    };
    this.worker.onerror = (event) => failed(event.message || "its program could not be loaded");
  }

  call<Name extends keyof Calls>(name: Name, ...values: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    return new Promise((resolve, reject) => {
      const id = ++this.last;
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, call: name, values });
    });
  }
}
