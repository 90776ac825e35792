// Before reveal.js takes over, with the fonts there: tables of pandas are made plain, and each slide is measured once. Words and tables are as
// large as the slide has room for; a slide on which they fit at no size is marked, and a test of the lessons finds it.
function layOut() {
  const number = /^(NaN|<NA>|-?inf|[-−–+]?[\d,]*\.?\d+ ?%?)$/;
  for (const table of document.querySelectorAll("table.dataframe")) {
    const [head, named] = table.tHead.rows, rows = [...table.tBodies[0].rows];
    if (named && [...named.cells].slice(1).every((cell) => !cell.textContent)) {
      head.cells[0].textContent = named.cells[0].textContent;  // the index gets its name in the header's one line
      named.remove();
    } else if (rows.every((row) => row.cells[0].tagName === "TH" && /^\d+$/.test(row.cells[0].textContent)))
      [head, ...rows].forEach((row) => row.cells[0].remove());  // an index that only counts says nothing
    [...head.cells].forEach((_, at) => {
      if (rows.every((row) => !row.cells[at] || number.test(row.cells[at].textContent.trim())))
        [head, ...rows].forEach((row) => row.cells[at] && row.cells[at].classList.add("number"));
    });
  }
  document.body.classList.add("measuring");
  for (const page of document.querySelectorAll(".page")) {
    const boxes = [page, ...page.querySelectorAll(".output, .prose, pre")];
    const fits = () => page.scrollHeight <= page.clientHeight && boxes.every((box) => box.scrollWidth <= box.clientWidth + 1);
    const at = (size) => {
      page.style.setProperty("--words", size);
      page.style.setProperty("--output", Math.min(2.2, Math.max(1.15, 1.5 * size)));
      return fits();
    };
    if (![...Array(17).keys()].some((step) => at(1.5 - 0.05 * step))) page.classList.add("overfull");
  }
  document.body.classList.remove("measuring");
}
