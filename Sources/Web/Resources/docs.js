// Renders /openapi.json as a page. Everything is put in as text, nothing as markup.
const root = document.getElementById("docs");

function add(parent, name, text, className) {
  const child = document.createElement(name);
  if (text !== undefined) child.textContent = text;
  if (className) child.className = className;
  parent.append(child);
  return child;
}

function addExample(parent, title, value) {
  const details = add(parent, "details");
  add(details, "summary", title);
  add(details, "pre", typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

function addParameters(parent, parameters) {
  const table = add(parent, "table");
  const head = add(add(table, "thead"), "tr");
  for (const title of ["Parameter", "In", "Meaning", "Example"]) add(head, "th", title);
  const body = add(table, "tbody");
  for (const parameter of parameters) {
    const row = add(body, "tr");
    add(add(row, "td"), "code", parameter.name);
    add(row, "td", parameter.in);
    const choices = parameter.schema?.enum ? ` One of ${parameter.schema.enum.join(", ")}.` : "";
    add(row, "td", (parameter.description ?? "") + choices);
    add(row, "td", parameter.example ?? parameter.schema?.default ?? "");
  }
}

function addContent(parent, title, content) {
  for (const [type, media] of Object.entries(content ?? {})) {
    if (media.example !== undefined) addExample(parent, `${title}, ${type}`, media.example);
    for (const [name, example] of Object.entries(media.examples ?? {})) {
      addExample(parent, `${title} “${name}”, ${type}`, example.value);
    }
  }
}

function addOperation(parent, path, method, operation) {
  const section = add(parent, "section", undefined, "operation");
  const title = add(section, "h3");
  add(title, "span", method.toUpperCase(), `method ${method}`);
  add(title, "code", path);
  add(section, "p", operation.summary);
  if (operation.description) add(section, "p", operation.description);
  const scope = operation["x-scope"];
  add(section, "p", scope ? `Scope: ${scope}` : "Open without a key.", "scope");
  if (operation.parameters) addParameters(section, operation.parameters);
  addContent(section, "Request", operation.requestBody?.content);
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!response.description) continue;
    add(section, "p", `${status}: ${response.description}`);
    addContent(section, `Answer ${status}`, response.content);
  }
}

const api = await (await fetch("/openapi.json")).json();
root.replaceChildren();
add(root, "p", api.info.description);
for (const tag of api.tags) {
  add(root, "h2", tag.name);
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (operation.tags.includes(tag.name)) addOperation(root, path, method, operation);
    }
  }
}
