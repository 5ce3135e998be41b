// The list of edits: each is made of the photo before it, and can be changed, left out, undone and redone. It is kept
// in the tab, so that a reload loses nothing while the session lasts.
import * as api from "./api.js";
import { t, told } from "./texts.js";

const KEY = "realedit";

export class History {
  constructor(app) {
    this.app = app;
    this.#empty(null);
  }

  #empty(photo) {
    Object.assign(this, { original: photo, steps: [], at: 0, editing: null });
    this.show();
  }

  begin(photo) {
    this.#empty(photo);
    this.keep();
  }

  // The id of the photo as the edits up to now have left it.
  get current() {
    return this.before(this.at);
  }

  before(number) {
    return number > 0 ? this.steps[number - 1].result.photo.id : this.original.id;
  }

  // Does an edit: a new one at the end, or a changed one in its place with all that follow.
  async apply(entry) {
    const at = this.editing ?? this.at;
    const later = this.editing === null ? [] : this.steps.slice(at + 1);
    await this.#redo(at, [entry, ...later]);
  }

  async drop(number) {
    await this.#redo(number, this.steps.slice(number + 1));
  }

  async #redo(from, entries) {
    const steps = this.steps.slice(0, from);
    let photo = from ? steps[from - 1].result.photo.id : this.original.id;
    for (const entry of entries) {
      this.entry = from + 1 > this.steps.length || entries.length === 1 ? { ...entry, request: { ...entry.request, photo } } : null;
      const result = await this.app.run({ ...entry.request, photo });
      this.entry = null;
      if (!result) return; // nothing is changed where one of them fails or is cancelled
      steps.push({ ...entry, request: { ...entry.request, photo }, result });
      photo = result.photo.id;
    }
    Object.assign(this, { steps, at: steps.length, editing: null });
    await this.#shown(t("done"));
  }

  async go(by) {
    const at = this.at + by;
    if (at < 0 || at > this.steps.length || this.app.working || this.app.picking.active) return;
    this.at = at;
    this.editing = null;
    await this.#shown("");
  }

  async goTo(at) {
    await this.go(at - this.at);
  }

  // Takes an edit up again: what was chosen, where it was put.
  async change(number) {
    if (this.app.working) return;
    const { app } = this;
    const step = this.steps[number];
    this.editing = number;
    app.compare(false);
    await app.show(this.before(number));
    app.panel.choose(step.tool);
    app.panel.fill(step.fields);
    this.show();
    app.root.querySelector(".re-sections").scrollTo({ top: 0 });
    if (step.tool === "paste") return app.picking.again(step.from, step.to);
    const { choosing } = app;
    choosing.selection = structuredClone(step.selection);
    app.stage.to = { ...step.to };
    if (choosing.selection.word) app.root.querySelector("#re-word").value = choosing.selection.word;
    if (choosing.selection.word || choosing.selection.points.length) await choosing.locate();
    app.panel.numbers();
  }

  async leaveEditing() {
    this.editing = null;
    await this.#shown("");
  }

  async #shown(said) {
    const { app } = this;
    const { tool } = app.panel;
    this.show();
    this.keep();
    app.compare(false);
    await app.show(this.current);
    app.panel.choose(tool === "paste" ? "move" : tool);
    if (said) app.tell.done(said);
  }

  name(step) {
    const [entry] = step.request.edits;
    const made = t(`made_${step.tool}`, entry);
    const text = step.name ? `${step.name} ${made}` : made;
    return text[0].toUpperCase() + text.slice(1);
  }

  show() {
    const { app } = this;
    const list = app.one("history");
    list.replaceChildren(...[null, ...this.steps].map((step, number) => this.#row(step, number)));
    app.one("history-card").hidden = !this.steps.length;
    app.button("undo").disabled = this.at === 0;
    app.button("redo").disabled = this.at >= this.steps.length;
    app.button("compare").disabled = this.at === 0;
    const last = this.at ? this.steps[this.at - 1].result : null;
    const load = app.one("download");
    load.setAttribute("aria-disabled", String(!last));
    if (last) Object.assign(load, { href: `api/photos/${last.photo.id}/file`, download: last.photo.name });
    else load.removeAttribute("href");
    app.one("warnings").replaceChildren(...(last?.warnings ?? []).map((text, number) => paragraph(told(text, last.warning_keys?.[number]))));
    app.one("recipe-card").hidden = !last;
    if (!last) return;
    app.one("command").textContent = last.command;
    Object.assign(app.one("recipe"), { href: `api/photos/${last.photo.id}/recipe`, download: `${last.photo.name}.realedit.json` });
  }

  #row(step, number) {
    const row = document.createElement("li");
    const go = Object.assign(document.createElement("button"), { type: "button", className: "re-step" });
    go.textContent = step ? `${number}. ${this.name(step)}` : t("original");
    go.addEventListener("click", () => this.goTo(number));
    row.append(go);
    if (number === this.at) row.setAttribute("aria-current", "true");
    if (number > this.at) row.className = "re-undone";
    if (this.editing !== null && number === this.editing + 1) row.className = "re-changing";
    if (!step) return row;
    for (const [key, does] of [["change", () => this.change(number - 1)], ["delete", () => this.drop(number - 1)]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "re-small" });
      button.textContent = t(key);
      button.setAttribute("aria-label", `${t(key)}: ${this.name(step)}`);
      button.addEventListener("click", does);
      row.append(button);
    }
    return row;
  }

  keep() {
    if (!this.original) return sessionStorage.removeItem(KEY);
    const { original, steps, at } = this;
    const kept = { original, steps, at, working: this.app.working ?? null, entry: this.entry ?? null };
    sessionStorage.setItem(KEY, JSON.stringify(kept, (name, value) => (name === "file" ? undefined : value)));
  }

  // After a reload: what was there, if the server still has it; a job that still runs is watched to its end.
  async restore() {
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEY));
      if (!kept) return;
      const { photos } = await api.get("api/session");
      const there = new Set(photos.map((photo) => photo.id));
      if (![kept.original, ...kept.steps.map((step) => step.result.photo)].every((photo) => there.has(photo.id))) return;
    } catch {
      return;
    }
    Object.assign(this, { original: kept.original, steps: kept.steps, at: kept.at, editing: null });
    await this.app.show(this.current);
    this.app.panel.choose("move");
    this.show();
    if (kept.working && kept.entry) this.#goOn(kept.working, kept.entry);
    else this.keep();
  }

  async #goOn(job, entry) {
    this.entry = entry;
    try {
      const result = await this.app.watch(job);
      this.steps = [...this.steps.slice(0, this.at), { ...entry, result }];
      this.at = this.steps.length;
      await this.#shown(t("done"));
    } catch (error) {
      if (!error.cancelled) this.app.tell.wrong(error);
    } finally {
      this.entry = null;
      this.keep();
    }
  }

  async forget() {
    await api.remove("api/session").catch(() => {});
    this.begin(null);
    sessionStorage.removeItem(KEY);
    location.reload();
  }
}

function paragraph(text) {
  return Object.assign(document.createElement("p"), { textContent: text });
}
