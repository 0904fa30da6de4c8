// The page: paints each frame the server sends, says so, and sends back what the viewer wants.
window.twinbeam = (() => {
  "use strict";
  const MAPS = ["coincidence", "signal", "idler"];
  const COLOURS = {
    "dt:prompt": "prompt", "dt:floor": "floor", "dt:fit": "fit",
    "detuning:prompt": "prompt", "detuning:floor": "floor", "detuning:fit": "fit",
    "ring:signal": "signal", "ring:idler": "idler",
    "energy:all": "all", "energy:one": "signal", "energy:two": "idler",
    "rates:hits": "floor", "rates:photons": "signal", "rates:pairs": "idler",
    "g2:g2": "signal",
    "scan:points": "signal", "scan:errors": "signal", "scan:fit": "fit",
  };
  const ROOM = { dt: 1.45, detuning: 1.45, ring: 1.6, scan: 1.5 }; // above the bars, for what is read off them
  const own = { palette: "viridis", scale: "linear", low: "", high: "", theme: "" };
  const log = []; // bytes of each frame and when it was painted, in ms since 1970
  let all = null, page = null, heardMs = 0, alone = false;

  const byId = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const quietly = (model, values) => model.setv(values, { sync: false });
  const thousands = (n) => n.toLocaleString("en-GB");
  const short = (n) => n < 1e4 ? thousands(n) : n < 9.995e5 ? Number((n / 1e3).toPrecision(3)) + " k"
    : n < 9.995e8 ? (n / 1e6).toPrecision(3) + " M" : (n / 1e9).toPrecision(3) + " G";
  const tick = (n) => Math.abs(n) < 1e4 ? String(Number(n.toPrecision(6))) : Math.abs(n) < 1e6 ? `${Number((n / 1e3).toPrecision(4))} k`
    : Math.abs(n) < 1e9 ? `${Number((n / 1e6).toPrecision(4))} M` : `${Number((n / 1e9).toPrecision(4))} G`;
  const PER = { dt: ["pairs", "ns"], detuning: ["pairs", "mdeg"], ring: ["photons", "px"], energy: ["photons", "keV"] };

  function element(tag, text, values = {}) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text; // never as markup: names come from metadata
    for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
    return made;
  }

  // --- painting ---------------------------------------------------------------------------

  function paint() {
    const frame = page.frame;
    if (frame == null) return;
    heardMs = performance.now();
    if (byId("main").classList.toggle("alone", frame.maps == null) !== alone) {
      alone = !alone;
      paintTheme(); // what stands alone is written larger
    }
    for (const thing of ["kind", "scale", "colouring", "squares", "region", "nexus"]) byId(thing).hidden = frame.maps == null;
    if (frame.maps != null) paintMaps(frame);
    paintCharts(frame);
    paintWords(frame.words, frame.live);
    const done = { key: frame.key, bytes: frame.words.bytes };
    requestAnimationFrame(() => requestAnimationFrame(() => {
      done.ms = performance.timeOrigin + performance.now();
      log.push(done);
      if (log.length > 2000) log.shift();
      page.setv({ painted: frame.sent });
      byId("page").dataset.painted = frame.key;
    }));
  }

  function paintMaps(frame) {
    const { panels, cell_px, ring, centre } = frame.maps;
    for (const name of MAPS) {
      const { image, side, about, view } = panels[name];
      quietly(all.sources[name + ":image"], { data: { image: [image], x: [-0.5], y: [-0.5], side: [side] } });
      quietly(all.sources[name + ":ring"], { data: { x: ring.x, y: ring.y } });
      quietly(all.sources[name + ":axis"], { data: { x: [centre[0]], y: [centre[1]] } });
      byId("caption-" + name).textContent = `photons per ${cell_px} × ${cell_px} px${about}`;
      fit(name, view);
      markRegion(name, frame.region);
    }
    const [left, right, bottom, top] = panels.signal.view;
    byId("main").classList.toggle("tall", top - bottom > 1.3 * (right - left));
    paintColours();
  }

  function fit(name, view) {
    const plot = all.plots[name];
    const [left, right, bottom, top] = view;
    const wide = plot.inner_width || 100, high = plot.inner_height || 100;
    const scale = Math.max((right - left) / wide, (top - bottom) / high);
    const x = (left + right) / 2, y = (bottom + top) / 2;
    quietly(plot.x_range, { start: x - scale * wide / 2, end: x + scale * wide / 2 });
    quietly(plot.y_range, { start: y - scale * high / 2, end: y + scale * high / 2 });
  }

  function limit(text, automatic) {
    const value = Number.parseFloat(text.replace(",", "."));
    return Number.isFinite(value) ? value : automatic;
  }

  function paintColours() {
    if (page.frame?.maps == null) return;
    const palette = all.palettes[own.palette];
    for (const name of MAPS) {
      const panel = page.frame.maps.panels[name];
      const logarithmic = own.scale === "log";
      const mapper = all.mappers[name][own.scale];
      let low = limit(own.low, logarithmic ? 0.5 : 0);
      if (logarithmic && low <= 0) low = 0.5;
      const automatic = logarithmic ? panel.largest : panel.high;
      const high = Math.max(limit(own.high, automatic), low * 1.001 + 1e-6);
      quietly(mapper, { palette, low, high, nan_color: palette[0] });
      quietly(all.glyphs[name + ":image"].glyph, { color_mapper: mapper });
      quietly(all.bars[name], { color_mapper: mapper });
      quietly(all.plots[name], { background_fill_color: css("hole") });
    }
  }

  function paintCharts(frame) {
    const empty = { left: [], right: [], top: [], x: [], y: [] };
    for (const [key, source] of Object.entries(all.sources)) {
      const [chart, series] = key.split(":");
      if (MAPS.includes(chart)) continue;
      const data = (frame.charts[chart] ?? {})[series];
      const columns = Object.keys(source.data);
      empty.low = empty.high = empty.x;
      quietly(source, { data: Object.fromEntries(columns.map((name) => [name, data ? data[name] : empty[name]])) });
    }
    for (const [chart, series] of Object.entries(frame.charts)) reach(chart, series);
    for (const name of ["g2", "scan"])
      byId("main").classList.toggle(`with-${name}`, Object.keys(frame.charts[name] ?? {}).length > 0);
    const [across, up] = frame.words.labels;
    quietly(all.plots.scan.below[0], { axis_label: across });
    quietly(all.plots.scan.left[0], { axis_label: up });
    const radius = frame.charts.ring?.predicted;
    quietly(all.marks.ring, { location: radius ? radius.x[0] : null, visible: Boolean(radius) });
    quietly(all.marks.detuning, { location: frame.detuning_mdeg, visible: frame.detuning_mdeg != null });
    for (const [key, series] of [["floor", "hits"], ["signal", "photons"], ["idler", "pairs"]])
      byId("key-rates-" + key).hidden = !(series in (frame.charts.rates ?? {}));
    const [one, two] = frame.region ? ["in the region", "their twins"] : ["signal", "idler"];
    byId("key-energy-signal").textContent = one;
    byId("key-energy-idler").textContent = two;
  }

  function reach(chart, series) { // ranges that hold all there is, and zero where zero means something
    let [x0, x1, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [name, columns] of Object.entries(series)) {
      if (name === "predicted") continue;
      for (const column of ["left", "right", "x"])
        for (const value of columns[column] ?? []) { x0 = Math.min(x0, value); x1 = Math.max(x1, value); }
      // the first delays hold photons that were split in two, far above everything else
      for (const value of (columns.top ?? columns.y ?? []).slice(chart === "g2" ? 4 : 0))
        if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
    }
    const plot = all.plots[chart];
    const bars = Object.values(series).find((columns) => columns.left?.length);
    if (bars && chart in PER) {
      const [what, unit] = PER[chart];
      quietly(plot.left[0], { axis_label: `${what} per ${Number((bars.right[0] - bars.left[0]).toPrecision(3))} ${unit}` });
    }
    const edge = chart === "scan" ? 0.03 * (x1 - x0) || 1 : 0; // points at the ends are seen whole
    if (x1 > x0 || edge && x1 === x0) quietly(plot.x_range, { start: x0 - edge, end: x1 + edge });
    if (!Number.isFinite(high)) return;
    if (chart === "rates") quietly(plot.y_range, { start: 0.6 * low, end: 2.2 * high });
    else if (high > 0) quietly(plot.y_range, { start: chart === "ring" ? Math.min(-0.03 * high, 1.05 * low) : Math.min(0, chart === "scan" ? 1.1 * low : 0), end: (ROOM[chart] ?? 1.12) * high });
  }

  function markRegion(name, region) {
    const box = all.marks[name];
    if (region == null) { quietly(box, { visible: false }); return; }
    const [left, right, bottom, top] = region;
    quietly(box, { left, right, bottom, top, visible: true });
  }

  // --- words ------------------------------------------------------------------------------

  function clock(seconds) {
    const s = Math.max(0, Math.round(seconds));
    const two = (n) => String(n).padStart(2, "0");
    return s < 3600 ? `${two(Math.floor(s / 60))}:${two(s % 60)}`
      : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  }

  function paintWords(words, live) {
    byId("name").textContent = words.name;
    const [first] = words.headline;
    document.title = `${first ? `${first[1]} ${page.frame.maps ? "pairs" : "points"} · ` : ""}twinbeam`;
    const mood = { measuring: "good", complete: "good", stored: "good", damaged: "warn", interrupted: "warn", aborted: "warn", failed: "bad" };
    byId("state").textContent = words.state;
    byId("state").dataset.mood = mood[words.state] ?? "wait";
    const over = words.state !== "measuring";
    const rest = words.wanted_s ? words.wanted_s - words.seconds : words.left_s;
    const left = !over && rest != null ? `, ${words.wanted_s ? "" : "about "}${clock(rest)} left` : "";
    byId("elapsed").textContent = `${clock(words.seconds)}${words.wanted_s ? ` of ${clock(words.wanted_s)}` : ""}${left}`;
    if (live) byId("chosen").options[0].textContent = words.is_stored || words.state === "stored" ? words.name : "live";
    byId("about").title = `began ${words.began}, recipe ${words.recipe}`;
    byId("about").textContent = [`sample ${words.sample}`, words.began, words.recipe && `recipe ${words.recipe.slice(0, 6)}`]
      .filter(Boolean).join(" · ");
    const share = words.wanted_s ? words.seconds / words.wanted_s : words.share;
    byId("progress").hidden = share == null;
    if (share != null) byId("progress").firstElementChild.style.width = `${Math.min(100, 100 * share)}%`;
    byId("headline").replaceChildren(...words.headline.map(([name, value, more]) => {
      const block = element("div"), number = element("dd", value + " ");
      number.append(element("small", more));
      block.append(element("dt", name), number);
      return block;
    }));
    for (const [name, [fact, more]] of Object.entries(words.captions))
      byId("caption-" + name).replaceChildren(...(fact ? [element("b", fact), element("span", more, name === "ring" ? { class: "key key-ring" } : {})] : []));
    byId("page").classList.remove("empty");
    byId("health").replaceChildren(...words.health.flatMap(([name, value, how]) =>
      [element("dt", name), element("dd", value, { "data-mood": how })]));
    for (const name of ["found", "beamline"]) {
      byId(name).replaceChildren(...words[name].flatMap(([what, value]) => [element("dt", what), element("dd", value)]));
      byId(`${name}-title`).hidden = !words[name].length;
    }
    byId("scan-title").textContent = words.scan;
    byId("waiting").textContent = words.waiting;
    byId("account").hidden = !words.ledger.length;
    byId("ledger").replaceChildren(...words.ledger.map((row) => {
      const line = element("tr", undefined, { "data-closes": row.closes, title: row.reasons || "nothing rejected" });
      line.append(element("td", row.stage), ...["in", "used", "rejected", "dropped"].map((name) => element("td", short(row[name]))));
      return line;
    }));
    byId("chips-title").hidden = !words.chips.length;
    byId("chips").replaceChildren(...words.chips.flatMap(([name, share, rate]) => {
      const bar = element("i"), fill = element("b");
      fill.style.width = `${100 * share}%`;
      bar.append(fill);
      return [element("span", name), bar, element("span", rate, { class: "rate" })];
    }));
    paintNews();
    byId("problems").replaceChildren(...words.problems.map((text) => element("li", text)));
  }

  function paintNews() { // says when the live service has fallen silent
    const frame = page.frame;
    const silent = (performance.now() - heardMs) / 1000;
    const late = frame != null && frame.live && frame.maps != null && frame.words.state === "measuring" && silent > 5 && !document.hidden;
    const version = frame?.live && frame.words.version ? `result ${thousands(frame.words.version)}` : "";
    byId("caption-side").textContent = late ? `no news for ${Math.round(silent)} s` : version;
  }

  // --- colours of the page ----------------------------------------------------------------

  function paintTheme() {
    document.documentElement.dataset.theme = own.theme;
    byId("theme").textContent = own.theme === "dark" ? "light" : "dark";
    const ink = css("ink"), muted = css("muted"), line = css("line"), panel = css("panel");
    const px = Math.round(Number.parseFloat(getComputedStyle(document.body).fontSize));
    const small = `${px - 1}px`, large = `${Math.round(1.3 * px)}px`, font = "system-ui, Segoe UI, Roboto, DejaVu Sans, sans-serif";
    for (const [name, plot] of Object.entries(all.plots)) {
      const map = MAPS.includes(name);
      quietly(plot, { border_fill_color: panel, ...(map ? {} : { background_fill_color: panel }) });
      const size = name === "scan" && alone ? large : small;
      for (const axis of [...plot.below, ...plot.left]) {
        if (axis.axis_label === undefined) continue;
        quietly(axis, {
          axis_line_color: line, major_tick_line_color: line, major_label_text_color: ink,
          major_label_text_font_size: size, major_label_text_font: font,
          axis_label_text_color: muted, axis_label_text_font_size: size, axis_label_text_font: font,
        });
      }
      for (const grid of plot.center) {
        if (grid.grid_line_color !== undefined) quietly(grid, { grid_line_color: line, grid_line_alpha: 0.6 });
      }
    }
    for (const name of MAPS) {
      quietly(all.bars[name], {
        background_fill_color: panel, major_label_text_color: ink, major_label_text_font_size: small,
        major_label_text_font: font,
      });
      quietly(all.glyphs[name + ":ring"].glyph, { line_color: "#ffffff" });
      quietly(all.glyphs[name + ":axis"].glyph, { line_color: "#ffffff" });
      quietly(all.marks[name], { line_color: "#ffffff" });
    }
    for (const [key, colour] of Object.entries(COLOURS)) {
      const glyph = all.glyphs[key].glyph, value = css(colour);
      quietly(glyph, glyph.type === "Quad" || glyph.type === "Scatter" ? { fill_color: value } : { line_color: value });
    }
    quietly(all.glyphs["scan:points"].glyph, { size: alone ? 9 : 6 });
    for (const name of ["ring", "detuning"]) quietly(all.marks[name], { line_color: css("ring") });
    paintColours();
  }

  function remember() {
    try { localStorage.setItem("twinbeam", JSON.stringify(own)); } catch { /* private window */ }
  }

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem("twinbeam") ?? "{}");
      for (const name of Object.keys(own)) if (typeof kept[name] === "string") own[name] = kept[name];
    } catch { /* nothing kept */ }
    if (!(own.palette in all.palettes)) own.palette = "viridis";
    if (own.scale !== "log") own.scale = "linear";
    if (own.theme !== "light" && own.theme !== "dark") {
      own.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    }
  }

  // --- what the viewer wants --------------------------------------------------------------

  function want(change) {
    page.setv({ looking: { ...looking(), ...change } });
    showWishes();
  }

  function looking() {
    const kept = page.looking;
    return { kind: "net", cell_px: 6, region: null, ...(kept instanceof Map ? Object.fromEntries(kept) : kept) };
  }

  function showWishes() {
    const now = looking();
    for (const button of document.querySelectorAll("[data-kind]"))
      button.setAttribute("aria-pressed", button.dataset.kind === now.kind);
    for (const button of document.querySelectorAll("[data-scale]"))
      button.setAttribute("aria-pressed", button.dataset.scale === own.scale);
    byId("cell").value = String(now.cell_px);
    byId("palette").value = own.palette;
    byId("low").value = own.low;
    byId("high").value = own.high;
    const r = now.region;
    byId("clear").hidden = r == null;
    byId("region").textContent = r == null ? "drag on a map for a region"
      : `region ${Math.round(r.left)}–${Math.round(r.right)} × ${Math.round(r.bottom)}–${Math.round(r.top)} px`;
    const query = new URLSearchParams({ looking: JSON.stringify(now), chosen: page.chosen });
    for (const link of document.querySelectorAll("[data-csv]"))
      link.href = `download/${link.dataset.csv}.csv?${query}`;
    byId("nexus").href = `download/result.h5?${query}`;
  }

  function showLibrary() {
    const select = byId("chosen");
    const options = page.library.map(([key, name]) => element("option", name, { value: key }));
    select.replaceChildren(select.options[0], ...options);
    select.value = page.chosen;
    select.parentElement.hidden = !page.library.length;
  }

  function select(event) {
    const { x0, x1, y0, y1 } = event.geometry;
    if (event.final === false || !(Math.abs(x1 - x0) > 1 && Math.abs(y1 - y0) > 1)) return;
    want({ region: { left: Math.min(x0, x1), right: Math.max(x0, x1), bottom: Math.min(y0, y1), top: Math.max(y0, y1) } });
  }

  async function picture(name) {
    const view = Bokeh.index.find_one(all.plots[name]);
    const blob = await view.export("png").to_blob();
    const link = element("a", undefined, { href: URL.createObjectURL(blob), download: `twinbeam-${name}.png` });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function listen() {
    byId("kind").addEventListener("click", (e) => {
      const button = e.target.closest("[data-kind]");
      if (button) want({ kind: button.dataset.kind });
    });
    byId("cell").addEventListener("change", (e) => want({ cell_px: Number(e.target.value) }));
    byId("clear").addEventListener("click", () => want({ region: null }));
    byId("chosen").addEventListener("change", (e) => { page.setv({ chosen: e.target.value }); showWishes(); });
    const changed = () => { remember(); showWishes(); paintColours(); };
    byId("palette").addEventListener("change", (e) => { own.palette = e.target.value; changed(); });
    byId("scale").addEventListener("click", (e) => { if (e.target.dataset.scale) { own.scale = e.target.dataset.scale; changed(); } });
    for (const name of ["low", "high"])
      byId(name).addEventListener("change", (e) => { own[name] = e.target.value.trim(); changed(); });
    byId("theme").addEventListener("click", () => {
      own.theme = own.theme === "dark" ? "light" : "dark";
      remember();
      paintTheme();
    });
    for (const button of document.querySelectorAll("[data-png]"))
      button.addEventListener("click", () => picture(button.dataset.png));
    for (const name of MAPS) {
      const again = () => page.frame?.maps != null && fit(name, page.frame.maps.panels[name].view);
      all.plots[name].properties.inner_width.change.connect(again);
      all.plots[name].properties.inner_height.change.connect(again);
    }
    addEventListener("resize", paintTheme);
    document.addEventListener("visibilitychange", () => {
      page.setv({ visible: !document.hidden });
      if (!document.hidden) paint();
    });
    setInterval(paintNews, 1000);
  }

  function lost() { // the service has ended; its successor has the same address and secret
    const say = (text) => { byId("notice").textContent = text; byId("notice").hidden = false; };
    say("The connection is lost: what you see does not change any more. Trying again …");
    byId("page").classList.add("stale");
    const again = setInterval(async () => {
      try {
        const { status } = await fetch("download/none.csv", { cache: "no-store" });
        if (status === 403) say("The page is served with another secret now: open the address that was printed.");
        else { clearInterval(again); location.reload(); }
      } catch { /* not there yet */ }
    }, 2000);
  }

  function plain(value) { // Bokeh hands mappings over as Map
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
    return value;
  }

  function figures(given) { // those of the page itself
    all = Object.fromEntries(Object.entries(plain(given)));
    if (page != null) start();
  }

  function connect(given) { // to the session in the server
    page = given;
    if (all != null) start();
  }

  function start() {
    if (location.search.includes("token=")) history.replaceState(null, "", location.pathname);
    recall();
    listen();
    showWishes();
    showLibrary();
    paintTheme();
    page.setv({ visible: !document.hidden });
    page.properties.frame.change.connect(paint);
    page.properties.library.change.connect(showLibrary);
    page.properties.notice.change.connect(() => {
      byId("notice").textContent = page.notice;
      byId("notice").hidden = !page.notice;
    });
    paint();
  }

  return { figures, connect, select, lost, short: tick, clear: () => want({ region: null }), log, fit, state: () => ({ all, page }) };
})();
