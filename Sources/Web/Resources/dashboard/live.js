// The WebSocket: what is committed, as it is committed. It comes back by itself, and resumes the log where it was.
import { access, key } from "./api.js";

const pauseFirst = 500;
const pauseMost = 15_000;
const pauseLagged = 10_000;
const pingEvery = 15_000;
/** Longer than two pings without a word: the line is dead though nobody said so. */
const silenceMost = 35_000;

/** Channels that the event log can repeat; samples are asked for anew by those who show them. */
const isLogged = (channel) => /^(events|alerts|kpis)/.test(channel);

/**
 * `state` is `connecting`, `live`, `reconnecting` or `refused`. Events: `state`; `restored` after a break or when
 * updates were skipped, so that what is shown must be asked for again.
 */
class Live extends EventTarget {
  state = "connecting";
  /** When the last message came, by `performance.now()`. */
  heard = 0;
  #watchers = new Map();
  #socket = null;
  /** The key was sent, so that channels may follow. */
  #isOpen = false;
  #sequence = 0;
  #pause = pauseFirst;
  #wasLive = false;
  #retry = 0;
  #catching = 0;

  start() {
    this.#open();
    setInterval(() => this.#beat(), pingEvery);
    access.addEventListener("changed", () => {
      // What was refused before is asked for again by all.
      this.#wasLive = true;
      this.#become("reconnecting");
      this.#reopen();
    });
    window.addEventListener("online", () => this.#reopen());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.state !== "live") this.#reopen();
    });
  }

  /** Calls `handler(message)` for every message of the channel; gives a function that ends it. */
  watch(channel, handler) {
    const handlers = this.#watchers.get(channel) ?? new Set();
    handlers.add(handler);
    this.#watchers.set(channel, handlers);
    if (handlers.size === 1) this.#subscribe([channel]);
    return () => {
      handlers.delete(handler);
      if (handlers.size > 0) return;
      this.#watchers.delete(channel);
      this.#send("Unsubscribe", { channels: [channel] });
    };
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#isOpen = true;
      this.heard = performance.now();
      if (key()) this.#send("Auth", { key: key() });
      const channels = [...this.#watchers.keys()];
      if (channels.length > 0) this.#subscribe(channels, this.#sequence);
      else this.#send("Ping", null);
    };
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#take(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lose();
    };
  }

  #reopen() {
    clearTimeout(this.#retry);
    this.#pause = pauseFirst;
    const old = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    old?.close();
    this.#open();
  }

  #lose() {
    this.#socket = null;
    this.#isOpen = false;
    if (this.state !== "refused") this.#become(this.#wasLive ? "reconnecting" : "connecting");
    // Many screens come back after one restart: not all in the same moment.
    const wait = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, pauseMost);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #beat() {
    if (!this.#isOpen) return;
    if (performance.now() - this.heard > silenceMost) this.#reopen();
    else this.#send("Ping", null);
  }

  #subscribe(channels, resumeAfter = 0) {
    const logged = channels.filter(isLogged);
    const others = channels.filter((channel) => !isLogged(channel));
    if (others.length > 0) this.#send("Subscribe", { channels: others });
    if (logged.length === 0) return;
    const payload = { channels: logged };
    if (resumeAfter > 0) payload.resume_after = resumeAfter;
    this.#send("Subscribe", payload);
  }

  #send(type, payload) {
    if (!this.#isOpen || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(payload === null ? { type } : { type, payload }));
  }

  #take(message) {
    this.heard = performance.now();
    switch (message.type) {
      case "Subscribed":
      case "Pong":
        this.#welcome();
        break;
      case "Lagged":
        this.#catchUp();
        break;
      case "Error":
        if (!["unauthorized", "forbidden"].includes(message.payload?.code)) break;
        this.#become("refused");
        access.dispatchEvent(new CustomEvent("needed", { detail: message.payload.detail }));
        break;
      default:
        if (message.sequence > this.#sequence) this.#sequence = message.sequence;
        for (const handler of this.#watchers.get(message.channel) ?? []) handler(message);
    }
  }

  /** Who is too slow for all of it would only be slower for asking again at once. */
  #catchUp() {
    if (this.#catching !== 0) return;
    this.#catching = setTimeout(() => {
      this.#catching = 0;
      this.dispatchEvent(new Event("restored"));
    }, pauseLagged);
  }

  #welcome() {
    if (this.state === "live") return;
    this.#pause = pauseFirst;
    const isBack = this.#wasLive;
    this.#wasLive = true;
    this.#become("live");
    if (isBack) this.dispatchEvent(new Event("restored"));
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

export const live = new Live();
