extension Page {
  /// What a page can do beyond being read: zoom into the callees, choose what their widths stand for, sort and filter long
  /// tables. Nothing is missing without it.
  static let script = #"""
    "use strict";
    for (const icicle of document.querySelectorAll("[data-icicle]")) {
      const boxes = [...icicle.querySelectorAll("[role=treeitem]")];
      const nodes = boxes.map((box, index) => ({
        box, index, parent: Number(box.dataset.parent), level: Number(box.getAttribute("aria-level")) - 1, children: [],
        before: Math.max(0, Number(box.dataset.before)), after: Math.max(0, Number(box.dataset.after)), start: 0, width: 1
      }));
      nodes.forEach((node) => { if (node.index) nodes[node.parent].children.push(node); });
      const detail = icicle.querySelector(".detail");
      const reset = icicle.querySelector("[data-reset]");
      const choices = [...icicle.querySelectorAll("[data-basis]")];
      let basis = "both";
      let zoomed = nodes[0];
      const weight = (node) => basis === "both" ? node.before + node.after : node[basis];

      // Callees lie within their caller, side by side.
      const layout = () => {
        for (const node of nodes) {
          const below = node.children.reduce((sum, child) => sum + weight(child), 0);
          const whole = Math.max(weight(node), below);
          let start = node.start;
          for (const child of node.children) {
            child.start = start;
            child.width = whole > 0 ? weight(child) / whole * node.width : 0;
            start += child.width;
          }
        }
      };
      const draw = () => {
        const above = new Set();
        for (let node = zoomed; node.index; node = nodes[node.parent]) above.add(nodes[node.parent]);
        const inside = new Set([zoomed]);
        for (const node of nodes) if (node.index && inside.has(nodes[node.parent])) inside.add(node);
        for (const node of nodes) {
          const style = node.box.style;
          const shown = above.has(node) || inside.has(node) && node.width > 0;
          node.box.hidden = !shown;
          if (!shown) continue;
          const wide = above.has(node) || zoomed.width <= 0;
          style.left = wide ? "0" : (node.start - zoomed.start) / zoomed.width * 100 + "%";
          const width = wide ? 100 : node.width / zoomed.width * 100;
          style.width = width + "%";
          node.box.classList.toggle("above", above.has(node));
          node.box.classList.toggle("thin", width < 1.2);
        }
        if (reset) reset.hidden = !zoomed.index;
      };
      const focus = (node) => {
        if (!node || node.box.hidden) return;
        for (const other of nodes) other.box.tabIndex = -1;
        node.box.tabIndex = 0;
        node.box.focus();
      };
      const zoom = (node) => { zoomed = node; draw(); };
      const sibling = (node, step) => {
        const row = nodes[node.parent].children.filter((other) => !other.box.hidden);
        return node.index ? row[row.indexOf(node) + step] : undefined;
      };
      nodes.forEach((node) => {
        const show = () => { detail.textContent = node.box.getAttribute("aria-label"); };
        node.box.addEventListener("mouseenter", show);
        node.box.addEventListener("focus", show);
        node.box.addEventListener("click", () => zoom(node));
        node.box.addEventListener("keydown", (event) => {
          const next = {
            ArrowDown: () => focus(node.children.find((child) => !child.box.hidden)),
            ArrowUp: () => focus(nodes[node.parent]),
            ArrowLeft: () => focus(sibling(node, -1)),
            ArrowRight: () => focus(sibling(node, 1)),
            Enter: () => zoom(node), " ": () => zoom(node),
            Escape: () => { zoom(nodes[0]); focus(node); }
          }[event.key];
          if (next) { event.preventDefault(); next(); }
        });
        node.box.removeAttribute("title");
      });
      for (const choice of choices) {
        choice.addEventListener("click", () => {
          basis = choice.dataset.basis;
          for (const other of choices) other.setAttribute("aria-pressed", String(other === choice));
          layout();
          if (zoomed.width <= 0) zoomed = nodes[0];
          draw();
        });
      }
      if (reset) reset.addEventListener("click", () => { zoom(nodes[0]); focus(nodes[0]); });
      icicle.querySelector(".controls").hidden = false;
      icicle.classList.add("live");
      layout();
      draw();
    }
    for (const table of document.querySelectorAll("table[data-long]")) {
      const body = table.tBodies[0];
      const heads = [...table.tHead.rows[0].cells];
      const key = (row, column) => {
        const cell = row.cells[column];
        const figure = cell.querySelector("data");
        return figure ? Number(figure.value) : cell.textContent.trim();
      };
      heads.forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const down = head.getAttribute("aria-sort") !== "descending";
          for (const other of heads) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          const rows = [...body.rows].map((row) => [key(row, column), row]);
          rows.sort(([a], [b]) => {
            const order = typeof a === "number" && typeof b === "number" ? a - b
              : typeof a === "number" ? 1 : typeof b === "number" ? -1 : a.localeCompare(b);
            return down ? -order : order;
          });
          body.append(...rows.map(([, row]) => row));
        });
      });
      const filter = document.createElement("input");
      filter.type = "search";
      filter.className = "filter";
      filter.placeholder = "Filter by function";
      filter.setAttribute("aria-label", "Filter by function");
      filter.addEventListener("input", () => {
        const wanted = filter.value.toLowerCase();
        for (const row of body.rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      });
      table.parentElement.before(filter);
    }

    """#
}
