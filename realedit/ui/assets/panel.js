// The panel: what can be done, the form of it, and what it lacks before it can be applied.
import * as api from "./api.js";
import { STILL, leavesPhoto, moved } from "./geometry.js";
import { t } from "./texts.js";
import { FIRST, GROUPS, TOOLS, entries, form, label, lacks, settingsForm, settingsOf } from "./tools.js";

const TEXTS = ["text", "with", "object"];

export class Panel {
  constructor(app) {
    this.app = app;
    this.one = app.one;
    this.tool = "move";
    this.fields = {};
    const button = (tool) => `<button type="button" data-tool="${tool}" aria-pressed="false">${TOOLS[tool].icon}<span>${label(tool)}</span></button>`;
    this.one("tools").innerHTML = FIRST.map(button).join("");
    const option = (tool) => `<option value="${tool}">${label(tool)}</option>`;
    const group = ([name, tools]) => `<optgroup label="${t(name)}">${tools.map(option).join("")}</optgroup>`;
    this.one("more").innerHTML = `<option value="">${t("more_none")}</option>${Object.entries(GROUPS).map(group).join("")}`;
    this.one("settings").innerHTML = settingsForm();
  }

  // Chooses what is to be done; the form is its own.
  choose(tool) {
    const { app } = this;
    const kind = TOOLS[tool];
    this.tool = tool;
    for (const button of app.root.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    this.one("more").value = FIRST.includes(tool) ? "" : tool;
    this.one("fields").innerHTML = form(tool);
    this.fields = {};
    const { places, turns, stays, removes } = kind;
    app.stage.tool = { places, turns, stays, removes, casts: this.castsShadow };
    if (app.stage.thing?.foreign && tool !== "paste") app.choosing.letGo();
    this.numbers();
    this.ready();
    app.stage.draw();
    app.tell.tip(app.advice());
  }

  // What is asked for: the entries of the edit and where its object is, as the server reads them.
  request() {
    const { stage, choosing, photo } = this.app;
    const { points, beside, word } = choosing.selection;
    const kind = TOOLS[this.tool];
    const request = { photo, edits: entries(this.tool, this.state), ...this.settings() };
    if (kind.thing && !word) Object.assign(request, { point: points, not_point: beside });
    if (kind.thing && word && kind.shown) Object.assign(request, { point: [stage.thing.inside] });
    return request;
  }

  // Whether the settings leave the thing its shadow.
  get castsShadow() {
    return this.settings().settings?.shadow !== false;
  }

  settings() {
    return settingsOf(this.one("settings"));
  }

  get state() {
    const { stage, choosing } = this.app;
    return { thing: stage.thing, to: stage.to, fields: this.fields, selection: choosing.selection };
  }

  // The key of what the edit lacks, or null.
  get lack() {
    return this.app.photo ? lacks(this.tool, this.state) : "need_thing";
  }

  // Brings the buttons up to date: whether the edit can be applied, and what it lacks.
  ready() {
    const { app } = this;
    const { picking, stage } = app;
    const busy = Boolean(app.working || stage.locked);
    const editing = app.history.editing !== null;
    const other = this.tool === "paste" && !picking.active && Boolean(this.lack);
    const apply = app.button("apply");
    const lack = picking.active ? (stage.thing ? null : "paste_pick") : other ? null : this.lack;
    apply.disabled = Boolean(busy || lack);
    apply.textContent = t(picking.active ? "paste_take" : other ? "paste_other" : editing ? "update" : "apply");
    const leave = app.button("leave");
    leave.hidden = !(picking.active || editing || stage.thing?.foreign || (stage.thing && moved(stage.to)));
    leave.textContent = t(picking.active ? "paste_back" : editing ? "leave_edit" : stage.thing?.foreign ? "leave_paste" : "leave_move");
    leave.disabled = busy;
    this.one("advice").textContent = this.#advice();
    this.one("lack").textContent = busy || picking.active ? "" : lack ? t(lack) : this.#doubt();
    if (stage.thing && !stage.locked) app.tell.tip("");
  }

  // What the server would refuse once it has looked for the thing.
  #doubt() {
    const { thing, to, tool, width, height } = this.app.stage;
    if (!thing || !tool.places || this.settings().allow_crop) return "";
    return leavesPhoto(thing, to, width, height) ? t("said_leaves_frame") : "";
  }

  #advice() {
    const { advice } = TOOLS[this.tool];
    if (this.app.picking.active) return t("paste_pick");
    if (this.tool === "paste" && !this.lack) return t("paste_place");
    return advice ? t(advice) : "";
  }

  // The numbers of the form and the place on the canvas are the same.
  numbers() {
    const { to } = this.app.stage;
    const shown = { dx: to.dx * 100, dy: to.dy * 100, scale: to.scale * 100, angle: to.angle };
    const { elements } = this.one("fields");
    for (const [name, value] of Object.entries(shown)) {
      const field = elements[name];
      if (field && document.activeElement !== field) field.value = String(Number(value.toFixed(2)));
    }
    if (elements.flip) elements.flip.value = to.flip;
  }

  // Takes what was typed.
  async typed() {
    const { app } = this;
    const { elements } = this.one("fields");
    const number = (name, by, low, high, digits) => {
      const value = Number(elements[name]?.value);
      if (elements[name] && elements[name].value !== "" && Number.isFinite(value)) {
        app.stage.to[name] = Number(Math.min(Math.max(value / by, low), high).toFixed(digits));
      }
    };
    number("dx", 100, -1, 1, 4);
    number("dy", 100, -1, 1, 4);
    number("scale", 100, 0.1, 10, 3);
    number("angle", 1, -180, 180, 1);
    if (elements.flip) app.stage.to.flip = elements.flip.value;
    if (elements.perspective) this.fields.perspective = elements.perspective.checked;
    for (const name of TEXTS) if (elements[name]) this.fields[name] = elements[name].value.trim();
    for (const name of ["photo", "outline"]) await this.#brought(name, elements[name]);
    this.ready();
    app.stage.draw();
  }

  async #brought(name, field) {
    const file = field?.files?.[0];
    if (!file || this.fields[name]?.file === file) return;
    try {
      this.fields[name] = { ...(await api.bring(file)), file };
      this.#name(name);
    } catch (error) {
      field.value = "";
      this.app.tell.wrong(error);
    }
  }

  // Fills the form as it was when an edit was applied.
  fill(fields) {
    this.fields = { ...fields };
    const { elements } = this.one("fields");
    for (const name of TEXTS) if (elements[name]) elements[name].value = fields[name] ?? "";
    if (elements.perspective) elements.perspective.checked = Boolean(fields.perspective);
    for (const name of ["photo", "outline"]) this.#name(name);
  }

  // Says which file was brought: a field for files cannot be filled.
  #name(field) {
    const place = this.one(`brought="${field}"`);
    if (place) place.textContent = this.fields[field]?.name ?? "";
  }

  // What the button beside "Apply" does: back from the second photo or from a change, or the thing back to its place.
  async leave() {
    const { app } = this;
    if (app.picking.active) return app.picking.back();
    if (app.history.editing !== null) return app.history.leaveEditing();
    if (app.stage.thing?.foreign) return this.choose("move");
    app.stage.to = { ...STILL };
    this.numbers();
    this.ready();
    app.stage.draw();
  }
}
