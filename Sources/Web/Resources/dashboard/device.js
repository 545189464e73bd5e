// The chosen device: its series with units as people write them, and its samples as they come.
import { ask, askAll } from "./api.js";
import { element, make } from "./dom.js";
import { floor, selection } from "./floor.js";
import { noteSample } from "./header.js";
import { live } from "./live.js";
import { text } from "./texts.js";

/**
 * Events: `loaded` when another device, or the same anew, is there; `sample` with `{metric, value, quality, time}`;
 * `changed` when something is desired of it or its state is another.
 */
class Device extends EventTarget {
  id = null;
  /** By metric, as `/api/v1/devices/{id}` gives them. */
  series = new Map();
  #unwatch = null;

  start() {
    selection.addEventListener("change", () => this.load());
    live.addEventListener("restored", () => this.load());
    floor.addEventListener("machines", () => this.#chooseFirst());
    element("device").addEventListener("change", (event) => selection.choose(event.target.value));
    this.#fillList();
    if (selection.device) this.load();
  }

  symbol(metric) {
    const series = this.series.get(metric);
    return series?.symbol ?? series?.unit ?? "";
  }

  /** The first machine, until somebody chooses; without machines the first device. */
  #chooseFirst() {
    if (selection.device) return;
    const [option] = element("device").options;
    if (floor.machines.length > 0) selection.choose(floor.machines[0].device);
    else if (option) selection.choose(option.value);
  }

  async #fillList() {
    try {
      const ids = (await askAll("/api/v1/devices?limit=1000")).map((device) => device.device_id);
      const select = element("device");
      select.replaceChildren(...ids.map((id) => make("option", { value: id }, id)));
      if (floor.isKnown) this.#chooseFirst();
      select.value = selection.device ?? "";
    } catch {
      // Asked again with the next device that is loaded.
    }
  }

  async load() {
    const id = selection.device;
    if (!id) {
      await this.#fillList();
      return;
    }
    this.#unwatch?.();
    this.#unwatch = live.watch(`twin:${id}`, (message) => this.#take(message));
    const select = element("device");
    if (![...select.options].some((option) => option.value === id)) await this.#fillList();
    select.value = id;
    try {
      const answer = await ask(`/api/v1/devices/${encodeURIComponent(id)}`);
      if (selection.device !== id) return;
      this.id = id;
      this.series = new Map(answer.series.map((series) => [series.metric, series]));
      element("device-problem").textContent = "";
      this.dispatchEvent(new Event("loaded"));
    } catch (error) {
      element("device-problem").textContent = error.status === 404
        ? text("problem.device", { id }) : error.message;
    }
  }

  #take({ time, payload }) {
    if (payload.metric === undefined) {
      this.dispatchEvent(new Event("changed"));
      return;
    }
    noteSample(time);
    const { metric, value, quality } = payload;
    const known = this.series.get(metric);
    // What comes late is stored, but is not the latest.
    if (known && isNewer(time, known.latest?.time)) known.latest = { time, value, quality };
    this.dispatchEvent(new CustomEvent("sample", { detail: { metric, value, quality, time } }));
  }
}

/** Whether a sample is to stand in the place of another, which may be missing. */
export const isNewer = (time, than) => !than || Date.parse(time) >= Date.parse(than);

export const device = new Device();
