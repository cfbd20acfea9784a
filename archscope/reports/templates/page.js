"use strict";
// The page works without this: tables, drawings with their titles, and explanations are in the HTML.
(() => {
  const root = document.documentElement;
  const live = document.getElementById("live");
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const designs = JSON.parse(document.getElementById("designs").textContent);
  const paper = { text: "#1a1a1a", line: "#cfd3d9", page: "#ffffff", raised: "#f4f5f7" };
  root.classList.add("js");

  const unpacked = (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (each) => each.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };

  // Charts

  const colours = () => {
    const style = getComputedStyle(root);
    const names = ["text", "line", "page", "raised"];
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  };

  const themed = (layout, look) => {
    const made = {
      ...layout, autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: look.text, family: getComputedStyle(document.body).fontFamily, size: 12 },
      hoverlabel: { bgcolor: look.raised, bordercolor: look.line, font: { color: look.text }, align: "left" },
    };
    for (const key of Object.keys(layout).filter((name) => /^[xy]axis/.test(name))) {
      made[key] = { ...layout[key], gridcolor: look.line, linecolor: look.line, zerolinecolor: look.line, automargin: true };
    }
    if (matchMedia("(pointer: coarse)").matches) made.dragmode = false;
    const ticks = made.xaxis.tickvals;
    if (ticks && innerWidth < 700) {
      made.xaxis.tickvals = ticks.filter((_, at) => at % 2 === 0);
      made.xaxis.ticktext = made.xaxis.ticktext.filter((_, at) => at % 2 === 0);
    }
    return made;
  };

  const plots = [...document.querySelectorAll(".plot")];
  const config = { responsive: true, displayModeBar: false, displaylogo: false };

  const draw = (plot) => {
    if (plot.dataset.drawn) return;
    plot.dataset.drawn = "true";
    Plotly.newPlot(plot, figures[plot.id].data, themed(figures[plot.id].layout, colours()), config);
  };

  // A sheet of paper is narrower than a screen, and its width is not known before it is printed.
  const printed = 700;

  const redraw = (look, width) => plots.forEach((plot) => {
    draw(plot);
    const layout = themed({ ...figures[plot.id].layout, ...axesOf(plot) }, look);
    Plotly.relayout(plot, width ? { ...layout, width, autosize: false } : { ...layout, width: undefined });
  });

  // What a reader has zoomed into stays.
  const axesOf = (plot) => Object.fromEntries(
    Object.keys(figures[plot.id].layout).filter((name) => /^[xy]axis/.test(name)).map((name) => [name, plot.layout[name]]),
  );

  const drawNext = () => {
    const plot = plots.find((each) => !each.dataset.drawn);
    if (!plot) { root.dataset.ready = "true"; return; }
    draw(plot);
    setTimeout(drawNext, 0);
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(colours()));
  addEventListener("beforeprint", () => {
    document.querySelectorAll("figure details").forEach((each) => { each.open = true; });
    redraw(paper, printed);
  });
  addEventListener("afterprint", () => redraw(colours()));

  const pointed = new Map();
  // Reports between epochs have steps of their own: a mouse gets at them, keys go from epoch to epoch.
  const stepped = (plot) => plot.data.map((trace, curve) => ({ trace, curve })).filter(({ trace }) => trace.meta !== "between");
  const points = (plot) => Math.max(...stepped(plot).map(({ trace }) => trace.y.length));

  const point = (plot, at) => {
    const last = points(plot) - 1;
    const index = Math.min(Math.max(at, 0), last);
    pointed.set(plot, index);
    const shown = stepped(plot).filter(({ trace }) => index < trace.y.length);
    const words = shown.map(({ trace }) => reading(trace, index));
    try { Plotly.Fx.hover(plot, shown.map(({ curve }) => ({ curveNumber: curve, pointNumber: index })), ["xy"]); } catch { /* it is read out all the same */ }
    live.textContent = words.join("; ");
  };

  const reading = (trace, index) => {
    const head = trace.hovertext ? trace.hovertext[index] : trace.x ? trace.x[index] : "";
    const value = trace.y[index] === null ? "unknown" : trace.y[index].toLocaleString("en", { maximumFractionDigits: 6 });
    return [head, trace.mode === "markers" ? "" : `${trace.name} ${value}${trace.meta === "bytes" ? " B" : ""}`].filter(Boolean).join(": ").replace(/<br>/g, ", ").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
  };

  plots.forEach((plot) => plot.addEventListener("keydown", (event) => {
    const now = pointed.has(plot) ? pointed.get(plot) : -1;
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: points(plot) - 1 }[event.key];
    if (event.key === "Escape") Plotly.Fx.unhover(plot);
    if (to === undefined) return;
    event.preventDefault();
    point(plot, to);
  }));

  document.querySelectorAll("select[data-axis]").forEach((select) => select.addEventListener("change", () => {
    const plot = document.getElementById(select.dataset.chart);
    const { names, rows } = designs[plot.id];
    const axis = select.dataset.axis;
    const column = names.indexOf(select.value);
    const network = names.indexOf("network");
    const values = plot.data.map((trace) => rows.filter((row) => String(row[network]) === trace.meta).map((row) => row[column]));
    draw(plot);
    Plotly.update(plot, { [axis]: values }, { [`${axis}axis.title.text`]: select.value });
  }));

  // Drawings

  document.querySelectorAll("[data-drawing]").forEach((drawn) => {
    const picture = drawn.querySelector(".picture");
    const panel = drawn.querySelector(".panel");
    const svg = picture.querySelector("svg");
    const boxes = [...svg.querySelectorAll("g[data-name]")];
    const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
    let scale = 1;

    const zoom = (to) => {
      const middle = (picture.scrollTop + picture.clientHeight / 2) / (height * scale);
      scale = Math.min(Math.max(to, 0.1), 8);
      svg.style.width = `${width * scale}px`;
      svg.style.height = `${height * scale}px`;
      picture.scrollTop = middle * height * scale - picture.clientHeight / 2;
    };
    const fit = () => (picture.clientWidth - 4) / width;
    const zooms = { in: () => zoom(scale * 1.25), out: () => zoom(scale / 1.25), fit: () => zoom(fit()), one: () => zoom(1) };
    drawn.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", zooms[button.dataset.zoom]));
    picture.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
    }, { passive: false });
    if (width > picture.clientWidth) zoom(Math.max(fit(), 0.7));
    picture.scrollTop = 0;
    picture.scrollLeft = (picture.scrollWidth - picture.clientWidth) / 2;

    const choose = (box) => {
      drawn.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
      box.classList.add("chosen");
      const found = [...panel.querySelectorAll(".explained")].find((each) => each.dataset.of === box.dataset.name);
      panel.querySelector(".hint").hidden = Boolean(found);
      if (found) found.classList.add("chosen");
      panel.scrollTop = 0;
    };
    const ordered = boxes.slice().sort((one, other) => {
      const [a, b] = [one, other].map((each) => each.getBoundingClientRect());
      return a.top - b.top || a.left - b.left;
    });
    ordered.forEach((box, at) => {
      box.setAttribute("tabindex", at === 0 ? "0" : "-1");
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", box.querySelector("title").textContent);
      box.addEventListener("mouseover", () => { if (!drawn.dataset.kept) choose(box); });
      box.addEventListener("focus", () => choose(box));
      box.addEventListener("click", () => { drawn.dataset.kept = "true"; choose(box); });
    });
    picture.addEventListener("mouseleave", () => { delete drawn.dataset.kept; });
    picture.addEventListener("keydown", (event) => {
      const now = ordered.indexOf(document.activeElement);
      const to = { ArrowDown: now + 1, ArrowRight: now + 1, ArrowUp: now - 1, ArrowLeft: now - 1, Home: 0, End: ordered.length - 1 }[event.key];
      if (event.key === "+" || event.key === "-") zooms[event.key === "+" ? "in" : "out"]();
      if (event.key === "Enter" && now >= 0) panel.focus();
      if (to === undefined || !ordered[to]) return;
      event.preventDefault();
      ordered.forEach((box) => box.setAttribute("tabindex", "-1"));
      ordered[to].setAttribute("tabindex", "0");
      ordered[to].focus();
    });
    panel.addEventListener("keydown", (event) => {
      const chosen = ordered.find((box) => box.classList.contains("chosen"));
      if (event.key === "Escape" && chosen) chosen.focus();
    });

    const fills = new Map(boxes.map((box) => [box, box.querySelector("rect.box")]).filter(([, rect]) => rect)
      .map(([box, rect]) => [box, { rect, fill: rect.getAttribute("fill"), opacity: rect.getAttribute("fill-opacity") }]));
    drawn.querySelector("[data-colour]").addEventListener("change", (event) => {
      const column = event.target.value;
      const most = Math.max(...[...fills.keys()].map((box) => Number(box.dataset[column] || 0)), 1);
      fills.forEach(({ rect, fill, opacity }, box) => {
        rect.setAttribute("fill", column ? root.dataset.highlight : fill);
        rect.setAttribute("fill-opacity", column ? 0.05 + 0.55 * Number(box.dataset[column] || 0) / most : opacity);
      });
    });
  });

  // The table of all layers

  const sortAndFilter = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const number = (row, at) => Number(row.cells[at].dataset.v ?? row.cells[at].textContent.replaceAll(",", ""));
    const places = new Map(rows.map((row, at) => [row, at]));

    heads.forEach((head, at) => head.querySelector("button").addEventListener("click", () => {
      const numeric = at > 2;
      const before = head.getAttribute("aria-sort");
      const order = before ? (before === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const text = (row) => row.cells[at].textContent;
      const compare = (a, b) => (numeric ? number(a, at) - number(b, at) : text(a).localeCompare(text(b), "en", { numeric: true }));
      rows.sort((a, b) => sign * compare(a, b) || places.get(a) - places.get(b));
      body.append(...rows);
      live.textContent = `sorted by ${head.textContent.trim()}, ${order}`;
    }));

    const field = (id) => document.getElementById(id);
    const filter = () => {
      const words = field("find").value.trim().toLowerCase();
      const which = field("which").value;
      const least = field("least").value === "" ? -Infinity : Number(field("least").value);
      const column = Number(field("least-of").value);
      let shown = 0;
      for (const row of rows) {
        const named = `${row.cells[1].textContent} ${row.cells[2].textContent}`.toLowerCase().includes(words);
        row.hidden = !(named && (!which || row.dataset.of === which) && number(row, column) >= least);
        shown += !row.hidden;
      }
      field("count").textContent = `${shown} of ${rows.length} layers`;
    };
    ["find", "which", "least", "least-of"].forEach((id) => field(id).addEventListener("input", filter));
    filter();
  };

  const table = document.getElementById("layers");
  if (table) sortAndFilter(table);  // a page of training runs alone has none
  unpacked("plotly").then((source) => {
    const script = document.createElement("script");
    script.textContent = source;  // which the page's policy knows by its hash
    document.head.append(script);
    drawNext();
  });
})();
