/** The server does not answer, or there is no network. */
export class Away extends Error {
  override readonly name = "Away";
}

/** The server answered, but not with what was asked for. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    /** Stable name of the problem. */
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Paths below the server's root, also where a proxy puts it below a folder of its own. */
const ROOT = new URL("../../", self.location.href);

/**
 * Ask the server.
 *
 * @param path from the server's root.
 * @param key API key; "" for none.
 * @throws Away, Refusal
 */
export async function ask(path: string, key: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (key) headers.set("authorization", `Bearer ${key}`);
  let answer: Response;
  try {
    answer = await fetch(new URL(path, ROOT), { ...options, headers, credentials: "same-origin" });
  } catch {
    throw new Away("the server cannot be reached");
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await answer.json().catch(() => ({}));
  if (answer.status >= 500) throw new Away(problem.detail ?? `the server answers ${answer.status}`);
  throw new Refusal(answer.status, problem.code ?? "", problem.detail ?? `the server answers ${answer.status}`);
}
