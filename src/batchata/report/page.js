"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const SIGNS = { traced: "✓", loose: "~", missing: "✗", blank: "–", unasked: "·" };
  const WORDS = { traced: "verified", loose: "unverified", missing: "not found", blank: "empty", unasked: "not cited" };
  const WORST = ["missing", "loose", "traced", "unasked", "blank"];
  const AT_ONCE = 500;

  // Everything from documents and models goes through here: as text, never as HTML.
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const bdi = (text) => el("bdi", { dir: "auto" }, text);
  const titleOf = (item) => item.name === null ? `Item ${item.i + 1}` : item.name;

  // ---- the list -------------------------------------------------------------------------------------------------
  const list = by("list"), status = by("status"), search = by("search"), more = by("more");
  let filter = "all", listed = [], room = AT_ONCE, current = null;

  function haystack(item) {
    if (item.hay === undefined) {
      const words = [titleOf(item), item.brief, item.reason];
      for (const field of item.fields || []) words.push(field.path, field.value);
      for (const cite of item.cited || []) words.push(cite.text);
      if (item.error) words.push(item.error.reason, item.error.message, item.error.raw_text);
      Object.defineProperty(item, "hay", { value: words.filter(Boolean).join("\n").toLowerCase() });
    }
    return item.hay;
  }

  function signOf(item) {
    if (item.flags.includes("failed") || item.flags.includes("not_found")) return "missing";
    if (item.flags.includes("unverified") || item.flags.includes("low_score")) return "loose";
    return item.fields && item.fields.every((field) => field.state === "unasked") ? "unasked" : "traced";
  }

  function briefOf(item) {
    if (item.error) return `failed: ${item.error.reason}`;
    if (item.reason) return `failed: ${item.reason}`;
    const flags = item.flags.map((flag) => flag.replace("_", " ")).join(", ");
    const values = item.brief ?? item.fields.map((field) => field.value).filter(Boolean).slice(0, 4).join(" · ").slice(0, 120);
    return flags ? `${flags} — ${values}` : values;
  }

  function rowOf(item) {
    const state = signOf(item);
    const spoken = state === "missing" ? "to look at: " : state === "loose" ? "unsure: " : "";
    return el("li", {},
      el("a", { href: item.href || `#item-${item.i}`, "data-i": item.i, title: titleOf(item), "aria-current": item === current ? "true" : null },
        el("span", { class: `sign c-${state}`, "aria-hidden": "true" }, item.flags.includes("failed") ? "!" : SIGNS[state]),
        el("span", { class: "name" }, el("span", { class: "hidden" }, spoken), bdi(titleOf(item))),
        el("span", { class: "brief" }, bdi(briefOf(item)))));
  }

  function showList() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    listed = data.items.filter((item) =>
      (filter === "all" || item.flags.includes(filter)) && words.every((word) => haystack(item).includes(word)));
    list.replaceChildren(...listed.slice(0, room).map(rowOf));
    more.hidden = listed.length <= room;
    const all = data.items.length.toLocaleString("en");
    status.textContent = listed.length ? `${listed.length.toLocaleString("en")} of ${all} items` : `None of ${all} items. Esc empties the search.`;
  }

  function refilter(name) {
    filter = name;
    room = AT_ONCE;
    for (const button of document.querySelectorAll("[data-filter]"))
      button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    showList();
  }
  for (const button of document.querySelectorAll("[data-filter]"))
    button.addEventListener("click", () => refilter(button.dataset.filter));
  search.addEventListener("input", () => { room = AT_ONCE; showList(); });
  more.addEventListener("click", () => { room += AT_ONCE; showList(); });

  // ---- one item -------------------------------------------------------------------------------------------------
  const section = by("item"), overview = by("overview");
  let fields = [], places = [], pinned = null;

  function aboutCite(cite) {
    const parts = [];
    if (cite.document) parts.push(cite.document);
    if (cite.page !== null) parts.push(cite.to ? `pages ${cite.page}–${cite.to}` : `page ${cite.page}`);
    parts.push(cite.match === null ? "not checked" : cite.match.replace("_", " "));
    parts.push(cite.verified ? "verified" : "not verified");
    if (cite.holds === false) parts.push("does not hold the value");
    if (cite.score !== null) parts.push(`score ${cite.score}`);
    parts.push({ provider: "by the provider", quoted: "quoted", aligned: "aligned" }[cite.origin]);
    if (cite.address) parts.push(cite.address);
    return parts.join(" · ");
  }

  function citeButton(item, number, index) {
    const cite = item.cited[number];
    return el("li", {},
      el("button", { class: "cite", type: "button", "data-cite": number, "aria-pressed": "false", on: {
        click: () => pin({ cites: [number], field: index }),
        mouseenter: () => light({ cites: [number], field: index }, true), mouseleave: unlight,
        focus: () => light({ cites: [number], field: index }, true), blur: unlight,
      } }, el("q", { dir: "auto" }, cite.text), el("span", { class: "about" }, bdi(aboutCite(cite)))));
  }

  function fieldOf(item, field, index) {
    const target = { cites: field.cites, field: index };
    const value = field.value === null ? el("span", { class: "value none" }, "no value")
      : field.value === "" ? el("span", { class: "value none" }, "empty text") : el("span", { class: "value" }, bdi(field.value));
    const head = el("button", { class: "head", type: "button", "aria-pressed": "false", on: {
      click: () => pin(target), mouseenter: () => light(target, true), mouseleave: unlight,
      focus: () => light(target, true), blur: unlight,
    } }, el("span", { class: "path" }, bdi(field.path || "answer")),
      el("span", { class: "badge" }, `${SIGNS[field.state]} ${WORDS[field.state]}`,
        field.low ? el("span", { class: "low" }, ` · score ${field.low}`) : null), value);
    const made = el("li", { class: `field s-${field.state}`, "data-field": index }, head,
      field.cites.length ? el("ul", {}, ...field.cites.map((number) => citeButton(item, number, index))) : null);
    fields.push({ element: made, head, target });
    return made;
  }

  function fieldsOfCites(item, cites) {
    return item.fields.map((field, index) => ({ field, index })).filter(({ field }) => field.cites.some((each) => cites.includes(each)));
  }

  function placed(item, element, cites) {
    const owners = fieldsOfCites(item, cites);
    const states = owners.map(({ field }) => field.state);
    const state = WORST.find((each) => states.includes(each)) || "unasked";
    const target = { cites, field: owners.length ? owners[0].index : null };
    element.classList.add(`s-${state}`);
    element.addEventListener("click", () => {
      // One place of several fields: each click takes the next of them.
      const at = pinned ? owners.findIndex(({ index }) => index === pinned.field) : -1;
      const owner = owners.length ? owners[(at + 1) % owners.length].index : null;
      pin({ cites, field: owner }, true);
    });
    element.addEventListener("mouseenter", () => light(target, false));
    element.addEventListener("mouseleave", unlight);
    element.addEventListener("focus", () => light(target, false));
    element.addEventListener("blur", unlight);
    places.push({ element, cites });
    return element;
  }

  function labelOf(item, cites) {
    const names = fieldsOfCites(item, cites).map(({ field }) => `${field.path || "answer"}: ${field.value}`);
    return (names.length ? names.join("; ") : "cited for no field").slice(0, 200);
  }

  function boxesOf(item, number, page) {
    const groups = new Map();
    item.cited.forEach((cite, index) => {
      for (const box of cite.boxes) {
        if (box.source !== number || box.page !== page) continue;
        const key = `${box.left} ${box.top} ${box.right} ${box.bottom}`;
        const group = groups.get(key) || { box, cites: [] };
        if (!group.cites.includes(index)) group.cites.push(index);
        groups.set(key, group);
      }
    });
    const area = ({ box }) => (box.right - box.left) * (box.bottom - box.top);
    return [...groups.values()].sort((a, b) => area(b) - area(a)).map(({ box, cites }) => {
      const made = el("button", { class: "box", type: "button", "aria-label": labelOf(item, cites), title: labelOf(item, cites) });
      made.style.left = `${box.left}%`;
      made.style.top = `${box.top}%`;
      made.style.width = `${box.right - box.left}%`;
      made.style.height = `${box.bottom - box.top}%`;
      return placed(item, made, cites);
    });
  }

  function pageOf(item, source, number, page) {
    const drawn = page.picture && by(page.picture);
    const caption = `${source.name}, page ${page.number} of ${source.total}`;
    const picture = drawn ? el("img", { src: drawn.textContent, alt: caption, width: Math.round(page.width * 2), height: Math.round(page.height * 2), draggable: "false" })
      : el("p", { class: "undrawn" }, "This page could not be drawn.");
    return el("figure", {}, el("figcaption", {}, bdi(caption)), el("div", { class: "page" }, picture, ...boxesOf(item, number, page.number)));
  }

  function textOf(item, source) {
    const pieces = source.pieces.map((piece) => {
      if (piece.left_out) return el("span", { class: "left-out" }, `… ${piece.left_out.toLocaleString("en")} characters that nothing cites …`);
      if (!piece.cites.length) return piece.text;
      return placed(item, el("mark", { tabindex: "0", role: "button", title: labelOf(item, piece.cites) }, piece.text), piece.cites);
    });
    return el("figure", { class: "text-figure" }, el("figcaption", {}, bdi(source.name)), el("div", { class: "text", dir: "auto" }, ...pieces));
  }

  function sourcesOf(item) {
    return item.sources.flatMap((source, number) => {
      if (source.kind === "pages") return source.pages.map((page) => pageOf(item, source, number, page));
      if (source.kind === "text") return [textOf(item, source)];
      const caption = el("figcaption", {}, bdi(source.name));
      return [el("figure", {}, caption, el("img", { class: "photo", src: by(source.picture).textContent, alt: source.name }))];
    });
  }

  function headingOf(item) {
    const facts = [`item ${item.i + 1}`];
    facts.push(item.cost === null ? "cost unknown" : item.cost);
    if (item.usage) facts.push(`${item.usage.input_tokens.toLocaleString("en")} tokens in, ${item.usage.output_tokens.toLocaleString("en")} out`);
    return el("div", { class: "heading" },
      el("h2", { tabindex: "-1", id: "item-title" }, bdi(titleOf(item))), el("p", {}, facts.join(" · ")),
      ...item.notes.map((note) => el("p", { class: "note" }, bdi(note))));
  }

  function failureOf(error) {
    return [el("p", { class: "note bad" }, el("b", {}, `Failed: ${error.reason}. `), bdi(error.message)),
      el("p", {}, error.retryable ? "The same request may succeed when it is tried again." : "The same request would fail again."),
      ...(error.raw_text ? [el("h3", {}, "What the model wrote"), el("pre", { class: "raw", tabindex: "0", dir: "auto" }, error.raw_text)] : [])];
  }

  function show(item) {
    fields = [];
    places = [];
    pinned = null;
    const left = item.error ? failureOf(item.error) : [el("ul", {}, ...item.fields.map((field, index) => fieldOf(item, field, index)))];
    if (item.more.length)
      left.push(el("h3", {}, "Cited for no field"), el("ul", {}, ...item.more.map((number) => citeButton(item, number, null))));
    const right = sourcesOf(item);
    if (!right.length) right.push(el("p", { class: "note" }, "There is no source to show: citations are given as text."));
    section.replaceChildren(headingOf(item), el("div", { class: "columns-two" },
      el("div", { class: "fields", role: "region", "aria-label": "Fields" }, ...left),
      el("div", { class: "source", role: "region", "aria-label": "Source", tabindex: "0" }, ...right)));
    section.setAttribute("aria-labelledby", "item-title");
  }

  // ---- a field and its places light each other --------------------------------------------------------------------
  const quick = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function bringTo(element, always) {
    const pane = element.closest(".fields, .source");
    const behavior = quick ? "auto" : "smooth";
    if (pane.scrollHeight > pane.clientHeight && getComputedStyle(pane).overflowY !== "visible") {
      const frame = pane.getBoundingClientRect(), spot = element.getBoundingClientRect();
      if (spot.top >= frame.top + 8 && spot.bottom <= frame.bottom - 8) return;
      pane.scrollTo({ top: pane.scrollTop + spot.top - frame.top - Math.max(20, (frame.height - spot.height) / 3), behavior });
    } else if (always) element.scrollIntoView({ block: "center", behavior });
  }

  function paint(target) {
    for (const { element, cites } of places) element.classList.toggle("lit", !!target && cites.some((each) => target.cites.includes(each)));
    fields.forEach(({ element }, index) => {
      const own = target && (index === target.field || (target.shared || []).includes(index));
      element.classList.toggle("lit", !!own);
    });
    for (const button of section.querySelectorAll(".cite")) button.classList.toggle("lit", !!target && target.cites.includes(Number(button.dataset.cite)));
  }

  function light(target, toPlace, isClick) {
    paint(target);
    if (toPlace) {
      const first = places.find(({ cites }) => cites.some((each) => target.cites.includes(each)));
      const sorted = places.filter(({ element }) => element.classList.contains("lit"))
        .sort((a, b) => a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
      if (first) bringTo(sorted[0].element, isClick);
    } else if (target.field !== null) bringTo(fields[target.field].element, isClick);
  }

  function unlight() { paint(pinned); }

  function pin(target, fromPlace) {
    pinned = target;
    fields.forEach(({ head, target: own }) => head.setAttribute("aria-pressed", String(own.field === target.field)));
    for (const button of section.querySelectorAll(".cite"))
      button.setAttribute("aria-pressed", String(target.cites.length === 1 && Number(button.dataset.cite) === target.cites[0]));
    light(target, !fromPlace, true);
  }

  function unpin() {
    pinned = null;
    paint(null);
    for (const button of section.querySelectorAll("[aria-pressed]")) button.setAttribute("aria-pressed", "false");
  }

  // ---- where we are ---------------------------------------------------------------------------------------------
  function route() {
    const found = /^#item-(\d+)$/.exec(location.hash);
    if (!found && location.hash && location.hash !== "#overview") return;
    const item = found ? data.items.find((each) => each.i === Number(found[1]) && !each.href) : null;
    const inList = list.contains(document.activeElement) || document.activeElement === search;
    const isFirst = current === null && !item;
    current = item || null;
    overview.hidden = !!item;
    section.hidden = !item;
    if (item) show(item); else section.replaceChildren();
    document.title = item ? `${titleOf(item)} · ${by("overview").dataset.title}` : by("overview").dataset.title;
    for (const link of list.querySelectorAll("a")) {
      if (item && Number(link.dataset.i) === item.i) {
        link.setAttribute("aria-current", "true");
        link.scrollIntoView({ block: "nearest" });
        if (inList && document.activeElement !== search) link.focus({ preventScroll: true });
      } else link.removeAttribute("aria-current");
    }
    document.querySelector(".home").toggleAttribute("aria-current", !item);
    by("side").classList.remove("open");
    by("toggle-list").setAttribute("aria-expanded", "false");
    by("main").scrollTo(0, 0);
    if (!inList && !isFirst) by(item ? "item-title" : "overview-title").focus({ preventScroll: true });
    if (matchMedia("(max-width: 60rem)").matches) scrollTo(0, 0);
  }

  function step(by_) {
    const links = [...list.querySelectorAll("a")];
    if (!links.length) return;
    const at = links.findIndex((link) => link === document.activeElement || link.hasAttribute("aria-current"));
    const next = links[at < 0 ? (by_ > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by_))];
    const item = listed[links.indexOf(next)];
    if (item.href) next.focus(); else location.hash = `#item-${item.i}`;
  }

  function stepField(by_) {
    if (!fields.length) return;
    const focused = fields.findIndex(({ element }) => element.contains(document.activeElement));
    const at = focused >= 0 ? focused : pinned && pinned.field !== null ? pinned.field : by_ > 0 ? -1 : fields.length;
    const next = fields[(at + by_ + fields.length) % fields.length];
    next.head.focus({ preventScroll: true });
    bringTo(next.element, true);
    pin(next.target);
  }

  // ---- keys, theme, help ----------------------------------------------------------------------------------------
  const help = by("help");
  const KEYS = {
    j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    n: () => stepField(1), p: () => stepField(-1), o: () => { location.hash = "#overview"; },
    "/": () => { by("side").classList.add("open"); search.focus(); search.select(); }, "?": () => help.showModal(),
  };

  function escape() {
    if (document.activeElement === search && !search.value) search.blur();
    if (search.value) { search.value = ""; showList(); } else unpin();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape") return escape();
    if (event.target === search) {
      if (event.key === "Enter" && listed.length) { event.preventDefault(); list.querySelector("a").click(); search.blur(); }
      return;
    }
    if (list.contains(event.target) && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      return step(event.key === "ArrowDown" ? 1 : -1);
    }
    if (event.target.localName === "mark" && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      return event.target.click();
    }
    if (!KEYS[event.key] || !by("keys-on").checked) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  by("help-open").addEventListener("click", () => help.showModal());
  by("toggle-list").addEventListener("click", (event) => {
    event.currentTarget.setAttribute("aria-expanded", String(by("side").classList.toggle("open")));
  });

  const THEMES = ["system", "light", "dark"];
  function stored(theme) {
    try { // a browser may refuse storage to files
      if (theme) localStorage.setItem("batchata-theme", theme);
      return localStorage.getItem("batchata-theme");
    } catch { return null; }
  }
  function setTheme(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    by("theme").textContent = `Theme: ${theme}`;
  }
  let theme = THEMES.includes(stored()) ? stored() : "system";
  setTheme(theme);
  by("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    stored(theme);
    setTheme(theme);
  });

  by("overview").dataset.title = document.title;
  showList();
  addEventListener("hashchange", route);
  route();
})();
