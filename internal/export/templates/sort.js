document.body.classList.add("sortable");
document.addEventListener("click", function (e) {
  var th = e.target.closest && e.target.closest("thead th");
  if (!th) return;
  var body = th.closest("table").tBodies[0], i = th.cellIndex, down = th.dataset.order === "up";
  for (var other of th.parentNode.cells) delete other.dataset.order;
  th.dataset.order = down ? "down" : "up";
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  var rows = Array.from(body.rows).map(function (r) {
    var t = r.cells[i].textContent;
    return {row: r, text: t, number: t.trim() === "" ? NaN : Number(t)};
  });
  rows.sort(function (a, b) {
    var d = !isNaN(a.number) && !isNaN(b.number) ? a.number - b.number : a.text.localeCompare(b.text);
    return down ? -d : d;
  });
  for (var r of rows) body.appendChild(r.row);
});
