// Machines, lines and their shift: asked for every 20 s, and when a machine changes its state.
import { ask, noteTime } from "./api.js";
import { live } from "./live.js";

const pauseShown = 20_000;
const pauseHidden = 120_000;
/** After a change of state, so that many changes at once are one question. */
const pauseSettling = 2_000;

/**
 * Events: `machines` when states came, `figures` when OEE and intervals came, `problem` with `detail`.
 *
 * `figures` holds one item a line, as `/api/v1/industry40/oee` gives it, and one for each machine without a line,
 * in the same form.
 */
class Floor extends EventTarget {
  machines = [];
  figures = [];
  /** Whether an answer ever came: an empty plant is not the same as one not heard of yet. */
  isKnown = false;
  #timer = 0;
  #isAsking = false;
  #isStale = false;

  start() {
    live.watch("events:MachineStateChanged", (message) => this.#take(message));
    live.addEventListener("restored", () => this.refresh());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.refresh();
    });
    this.refresh();
  }

  machine(id) {
    return this.machines.find((machine) => machine.machine === id);
  }

  /** The result of a machine over the shift, wherever it stands. */
  result(id) {
    for (const item of this.figures) {
      const found = item.result.machines.find((machine) => machine.machine === id);
      if (found) return found.result;
    }
    return null;
  }

  async refresh() {
    clearTimeout(this.#timer);
    if (this.#isAsking) {
      this.#isStale = true;
      return;
    }
    this.#isAsking = true;
    try {
      this.machines = (await ask("/api/v1/production/machines")).items;
      this.isKnown = true;
      this.dispatchEvent(new Event("machines"));
      this.figures = await this.#askFigures();
      this.dispatchEvent(new Event("figures"));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("problem", { detail: error }));
    }
    this.#isAsking = false;
    const pause = this.#isStale ? pauseSettling : document.hidden ? pauseHidden : pauseShown;
    this.#isStale = false;
    this.#timer = setTimeout(() => this.refresh(), pause);
  }

  async #askFigures() {
    const lines = (await ask("/api/v1/industry40/oee")).items;
    const placed = new Set(
      lines.flatMap((line) => line.result.machines.map((machine) => machine.machine)));
    const alone = this.machines.filter((machine) => !placed.has(machine.machine));
    const others = await Promise.all(alone.map((machine) => this.#askMachine(machine.machine)));
    const items = [...lines, ...others.filter((item) => item !== null)];
    if (items.length > 0) noteTime(items[items.length - 1].as_of);
    return items;
  }

  async #askMachine(id) {
    const answer = await ask(`/api/v1/industry40/oee?machine=${encodeURIComponent(id)}`);
    return {
      ...answer, line: null,
      result: { machines: [{ machine: id, result: answer.result }], worth: [], warnings: [] },
      timelines: [{ machine: id, intervals: answer.intervals.states ?? [] }],
    };
  }

  #take(message) {
    const { machine: id, to } = message.payload.properties;
    const machine = this.machine(id);
    if (machine && to && Date.parse(message.time) >= Date.parse(machine.since ?? 0)) {
      machine.state = to;
      machine.since = message.time;
      this.dispatchEvent(new Event("machines"));
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), pauseSettling);
  }
}

export const floor = new Floor();

/** The machine whose charts and twin are shown; remembered in this tab. Event: `change`. */
class Selection extends EventTarget {
  #name = "millwright-machine";
  device = sessionStorage.getItem("millwright-machine");

  choose(device) {
    if (this.device === device) return;
    this.device = device;
    sessionStorage.setItem(this.#name, device);
    this.dispatchEvent(new Event("change"));
  }
}

export const selection = new Selection();
