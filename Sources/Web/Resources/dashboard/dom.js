// Elements without markup: everything that comes from outside is put in as text.

const svgNamespace = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    } else {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; texts among the children become text nodes. */
export function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

export const element = (id) => document.getElementById(id);

/** Changes the text only when it differs, so that nothing is laid out anew for nothing. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const waiting = new Map();

/** Does `work` before the next picture is drawn; of several under one key the last alone. */
export function nextFrame(key, work) {
  if (waiting.size === 0) requestAnimationFrame(drawFrame);
  waiting.set(key, work);
}

function drawFrame() {
  const works = [...waiting.values()];
  waiting.clear();
  for (const work of works) work();
}

/**
 * Makes the children of `parent` those of `items`, in their order. A node stays as long as its key is there, so
 * focus and what was typed stay too. `create(item)` gives a node, `update(node, item)` brings it up to date.
 */
export function keep(parent, items, keyOf, create, update) {
  const known = parent.nodesByKey ?? (parent.nodesByKey = new Map());
  const keys = new Set(items.map(keyOf));
  for (const [key, node] of known) {
    if (keys.has(key)) continue;
    node.remove();
    known.delete(key);
  }
  items.forEach((item, index) => {
    const key = keyOf(item);
    let node = known.get(key);
    if (!node) {
      node = create(item);
      known.set(key, node);
    }
    update(node, item);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}
