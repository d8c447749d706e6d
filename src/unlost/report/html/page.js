
"use strict";
// All of this is comfort: without it the page says the same, and each detail opens and closes by itself.
const table = document.querySelector(".groups");
const make = (name, parts) => Object.assign(document.createElement(name), parts);

function openings() {
  return [...table.querySelectorAll("td[colspan] > details > summary")].filter((each) => each.offsetParent !== null);
}

function move(from, key) {
  const all = openings();
  const here = all.indexOf(from);
  const there = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[key];
  if (here < 0 || there === undefined) return false;
  all[Math.min(Math.max(there, 0), all.length - 1)].focus();
  return true;
}

function close(target) {
  const opened = target.closest("details[open]");
  if (!opened) return false;
  opened.open = false;
  opened.querySelector("summary").focus();
  return true;
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const done = event.key === "Escape" ? close(event.target) : move(event.target, event.key);
  if (done) event.preventDefault();
}

// A click anywhere in a row opens it, unless it ends the selecting of text.
function onClick(event) {
  const row = event.target.closest("tbody > tr:first-child");
  if (!row || !document.getSelection().isCollapsed) return;
  const detail = row.nextElementSibling.querySelector("details");
  detail.open = !detail.open;
}

function narrow(words) {
  let shown = 0;
  for (const group of table.tBodies) {
    const text = group.rows[0].textContent.toLowerCase();
    group.hidden = !words.every((word) => text.includes(word));
    shown += !group.hidden;
  }
  return shown;
}

function addFilter() {
  const input = make("input", { type: "search", placeholder: "type, place, kind, group" });
  const told = make("p", { className: "hint", role: "status" });
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = narrow(words);
    told.textContent = words.length ? `${shown} of ${table.tBodies.length} shown` : "";
  });
  const label = make("label", { className: "tool", textContent: "Show only " });
  label.append(input);
  const keys = "Arrow keys go from error to error, Enter opens one, Escape closes it.";
  table.before(label, told, make("p", { className: "hint", textContent: keys }));
}

function addCopying(detail) {
  for (const code of detail.querySelectorAll("p > code")) {
    if (code.nextElementSibling) continue;
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy ${code.textContent}`);
    button.addEventListener("click", () => {
      document.getSelection().selectAllChildren(code); // where the clipboard is refused, one key is left to press
      const copied = navigator.clipboard ? navigator.clipboard.writeText(code.textContent) : Promise.reject();
      copied.then(() => (button.textContent = "Copied"), () => (button.textContent = "Selected"));
    });
    code.after(button);
  }
}

if (table) {
  table.addEventListener("keydown", onKey);
  table.addEventListener("click", onClick);
  // a click adds them before the next key; the toggle comes a task later, but also where a search in the page opens one
  table.addEventListener("click", (event) => addCopying(event.target.closest("details") ?? event.target), true);
  table.addEventListener("toggle", (event) => addCopying(event.target), true);
  if (table.tBodies.length > 1) addFilter();
}
