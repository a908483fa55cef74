"use strict";
// The page's only script, and a convenience: without it pictures open by their links, and everything can be read.
// A click on a head sorts its table: numbers by their value, and what is none comes last.
function key(row, column) {
  const text = row.cells[column].textContent.trim();
  return [parseFloat(text.replace(/[,<>≤~+\s]/g, "").replace("−", "-")), text];
}
function sort(head, body) {
  const turn = head.ariaSort === "ascending" ? -1 : 1;
  for (const other of head.parentNode.cells) other.ariaSort = "none";
  head.ariaSort = turn === 1 ? "ascending" : "descending";
  const order = ([a, s], [b, t]) =>
    isNaN(a) || isNaN(b) ? isNaN(a) - isNaN(b) || turn * s.localeCompare(t) : turn * (a - b);
  const rows = [...body.rows].map((row) => [row, key(row, head.cellIndex)]);
  body.append(...rows.sort((one, two) => order(one[1], two[1])).map(([row]) => row));
}
for (const head of document.querySelectorAll("figure.table thead th")) {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => sort(head, head.closest("table").tBodies[0]));
}
// A picture that is open closes by another click, or by Escape.
function close(event) {
  const open = document.querySelector("a.zoom:target");
  if (!open || (event.key ? event.key !== "Escape" : !open.contains(event.target))) return;
  event.preventDefault();
  location.replace("#" + open.closest("figure").id);
  open.focus({ preventScroll: true });
}
addEventListener("click", close);
addEventListener("keydown", close);
// A link to what a fold hides opens it.
function unfold() {
  const goal = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let fold = goal?.closest("details"); fold; fold = fold.parentNode.closest("details")) fold.open = true;
  goal?.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
