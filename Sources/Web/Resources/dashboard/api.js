// Questions to the gateway. A key, where one is needed, stays in this tab.
import { language, text } from "./texts.js";

const keyName = "millwright-key";

/** An answer other than 2xx: `status`, and the sentence of the problem. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** `needed`: the gateway wants a key, or another one. `changed`: one was given. */
export const access = new EventTarget();

export const key = () => sessionStorage.getItem(keyName);

export function useKey(text) {
  if (text) sessionStorage.setItem(keyName, text);
  else sessionStorage.removeItem(keyName);
  access.dispatchEvent(new Event("changed"));
}

let ahead = 0;

/** The gateway's clock, in ms, as far as it was told; screens on the floor have clocks of their own. */
export const now = () => Date.now() + ahead;

export function noteTime(moment) {
  const time = Date.parse(moment);
  if (Number.isFinite(time)) ahead = time - Date.now();
}

/** Asks and gives the JSON; throws `Refusal`, without a status when nobody answers, and `AbortError`. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { accept: "application/json", "accept-language": language };
  if (key()) headers["x-api-key"] = key();
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, {
    method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((error) => {
    throw error.name === "AbortError" ? error : new Refusal(undefined, text("problem.unreachable"));
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title ?? `HTTP ${answer.status}`;
  // Reading that is refused; what a key may not write is told where it was tried.
  if (answer.status === 401 || (answer.status === 403 && method === "GET")) {
    access.dispatchEvent(new CustomEvent("needed", { detail }));
  }
  throw new Refusal(answer.status, detail);
}

/** All pages of a list, at most `pages` of them. */
export async function askAll(path, pages = 5) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < pages; page += 1) {
    const joint = path.includes("?") ? "&" : "?";
    const part = await ask(cursor ? `${path}${joint}cursor=${encodeURIComponent(cursor)}` : path);
    items.push(...part.items);
    cursor = part.next_cursor;
    if (!cursor) break;
  }
  return items;
}
