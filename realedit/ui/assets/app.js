// The page: what is chosen, what is done to it, and the list of edits. See stage.js for the canvas.
import * as api from "./api.js";
import { STILL, moved } from "./geometry.js";
import { History } from "./history.js";
import { Pointing } from "./pointing.js";
import { Stage } from "./stage.js";
import { fill, has, loadTexts, t } from "./texts.js";
import { FIRST, TOOLS, entries, form, label, lacks, settingsForm, settingsOf } from "./tools.js";

const ALIVE_SECONDS = 60;
const FITS = 0.5; // share of the photo that a pasted thing begins with, at most
const NOTHING = () => ({ points: [], beside: [], word: "" });

export async function start(root, facts = {}) {
  await loadTexts();
  const app = new App(root.querySelector(".re"), facts);
  window.realedit = app; // for tests, and for the curious
  await app.begin();
}

class App {
  constructor(root, facts) {
    this.root = root;
    this.facts = facts;
    this.one = (name) => root.querySelector(`[data-${name}]`);
    fill(root);
    if (!facts.local) root.querySelector(".re-empty-note").textContent = t("empty_note_away");
    this.tool = "move";
    this.fields = {};
    this.selection = NOTHING();
    this.clicks = "new";
    this.picking = null; // a second photo, from which something is brought over
    this.stage = new Stage(this.one("canvas"), this.one("frame"), {
      point: (place) => this.pointing.at(place),
      leave: () => this.pointing.leave(),
      click: (place, how) => this.click(place, how),
      drag: () => this.#numbers(),
      drop: () => this.#ready(),
      compare: (share) => this.compareAt(share),
    });
    this.pointing = new Pointing((lines) => { this.stage.hover = lines; this.stage.draw(); });
    this.history = new History(this);
    this.#forms();
    this.#listen();
  }

  async begin() {
    await this.history.restore();
    if (!this.history.original && this.facts.opening) {
      try {
        await this.open(await api.post("api/opening"));
      } catch { /* it was opened before */ }
    }
    setInterval(() => this.history.original && api.get("api/session").catch(() => {}), ALIVE_SECONDS * 1000);
    this.root.dataset.ready = "yes";
  }

  // Bringing photos

  async bring(file) {
    if (!file) return;
    const most = this.facts.limits?.bytes;
    if (most && file.size > most) return this.wrong({ message: t("too_large", { mb: Math.round(most / 2 ** 20) }) });
    this.busy("uploading");
    try {
      await this.open(await api.bring(file));
    } catch (error) {
      this.wrong(error);
    } finally {
      this.idle();
    }
  }

  async open(photo) {
    if (this.picking) return this.pickFrom(photo);
    this.history.begin(photo);
    await this.show(photo.id);
    this.choose("move");
    this.say(t("nothing_chosen"));
  }

  // Shows a photo of the session, with nothing chosen.
  async show(id) {
    this.loading = true;
    this.stage.locked = true;
    const image = await api.picture(api.viewOf(id)).catch((error) => { this.loading = false; throw error; });
    const before = this.history.original && !this.picking ? await this.#original() : image;
    this.stage.clear();
    Object.assign(this.stage, { photo: image, before });
    this.photo = id;
    this.letGo();
    this.pointing.forget(id);
    this.root.dataset.state = "photo";
    for (const [name, hidden] of [["empty", true], ["frame", false], ["panel", false]]) this.one(name).hidden = hidden;
    this.one("canvas").setAttribute("aria-label", t("canvas"));
    this.one("name").textContent = this.history.original?.name ?? "";
    this.stage.fit();
    this.loading = false;
    this.tip(t("preparing"));
    this.#makeReady(id);
  }

  async #makeReady(id) {
    await api.post(`api/photos/${id}/ready`).catch(() => {});
    if (this.photo === id) this.tip(this.#advice());
    this.#ready();
  }

  async #original() {
    const { original } = this.history;
    if (this.first?.id !== original.id) this.first = { id: original.id, image: await api.picture(api.viewOf(original.id)) };
    return this.first.image;
  }

  // Choosing a thing

  async click(place, { add, less, on }) {
    if (this.working) return;
    const mode = add ? "add" : less ? "less" : this.clicks;
    if (mode === "new" && on) return; // on the chosen object: it is dragged, not chosen again
    const chosen = this.stage.thing;
    if (mode === "new" || !chosen) {
      this.selection = { ...NOTHING(), points: [place] };
    } else {
      if (!this.selection.points.length && !chosen.foreign) this.selection = { ...NOTHING(), points: [chosen.inside] };
      this.selection[mode === "add" ? "points" : "beside"].push(place);
    }
    const rough = this.pointing.lines(place);
    if (mode === "new" && rough) this.#roughly(rough, place);
    await this.locate();
  }

  // Shows at once what the pointer has shown; what the answer says takes its place.
  #roughly(lines, place) {
    const [xs, ys] = [lines.flat().map(([x]) => x), lines.flat().map(([, y]) => y)];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    this.#take({ lines, box, centroid: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], foot: [(box[0] + box[2]) / 2, box[3]], inside: place });
    this.stage.locked = true;
  }

  #take(thing) {
    const { points, beside } = this.selection;
    const shown = this.clicks === "new" ? {} : { points, beside };
    this.stage.thing = { ...thing, ...shown };
    this.stage.hover = null;
    this.one("clicks").hidden = false;
    this.stage.draw();
  }

  async locate() {
    const { points, beside, word } = this.selection;
    const asked = { photo: this.photo, preview: true, ...(word ? { word } : { point: points, not_point: beside }) };
    const { prompt } = settingsOf(this.one("settings"));
    if (prompt) asked.prompt = prompt;
    this.#stopLooking();
    this.one("error").textContent = "";
    this.note(t("looking"));
    const keep = { ...this.stage.to };
    let job = null;
    try {
      job = await api.post("api/locate", asked);
      this.looking = job.id;
      const mine = () => this.looking === job.id;
      await api.follow(job.id, {
        found: async (found) => {
          const sprite = await api.picture(api.fileOf(job.id, "sprite.png"));
          if (!mine()) return;
          this.stage.locked = false;
          this.stage.cleared = null;
          this.#take({ ...found, sprite });
          this.stage.to = keep;
          this.note(word ? t("chosen_word", { word }) : t("chosen"), found.warning ? t("unsure") : "");
          this.#ready();
        },
        cleared: async () => {
          const image = await api.picture(api.fileOf(job.id, "cleared.jpg"));
          if (mine()) Object.assign(this.stage, { cleared: image }).draw();
        },
      });
    } catch (error) {
      if (error.cancelled || (job && this.looking !== job.id)) return;
      this.stage.locked = false;
      this.letGo();
      this.wrong(error);
    }
  }

  #stopLooking() {
    if (this.looking) api.remove(`api/jobs/${this.looking}`).catch(() => {});
    this.looking = null;
  }

  letGo() {
    this.#stopLooking();
    this.selection = NOTHING();
    Object.assign(this.stage, { thing: null, cleared: null, to: { ...STILL }, locked: false, hover: null });
    this.setClicks("new");
    this.one("clicks").hidden = true;
    this.root.querySelector("#re-word").value = "";
    this.note(t("nothing_chosen"));
    this.#numbers();
    this.#ready();
    this.stage.draw();
  }

  setClicks(mode) {
    this.clicks = mode;
    this.stage.adding = mode !== "new";
    for (const button of this.root.querySelectorAll("[data-click]")) {
      button.setAttribute("aria-pressed", String(button.dataset.click === mode));
    }
    this.stage.draw();
  }

  // What is done to it

  choose(tool) {
    const kind = TOOLS[tool];
    this.tool = tool;
    for (const button of this.root.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    this.one("more").value = FIRST.includes(tool) ? "" : tool;
    this.one("fields").innerHTML = form(tool);
    this.one("advice").textContent = kind.advice ? t(kind.advice) : "";
    this.fields = {};
    this.stage.tool = { places: Boolean(kind.places), turns: Boolean(kind.turns), stays: Boolean(kind.stays), removes: Boolean(kind.removes) };
    if (this.stage.thing?.foreign && tool !== "paste") this.letGo();
    this.#numbers();
    this.#ready();
    this.stage.draw();
    this.tip(this.#advice());
  }

  #advice() {
    if (this.picking) return t("paste_pick");
    if (this.stage.thing) return "";
    return TOOLS[this.tool].thing || this.tool === "move" ? t("nothing_chosen") : "";
  }

  get state() {
    const { stage, fields, selection } = this;
    return { thing: stage.thing, to: stage.to, fields, selection };
  }

  // Brings the panel up to date: whether the edit can be applied, and what it lacks.
  #ready() {
    const apply = this.root.querySelector('[data-do="apply"]');
    const lack = this.photo ? lacks(this.tool, this.state) : "need_thing";
    const picked = this.picking && this.stage.thing;
    apply.disabled = Boolean(this.working || this.stage.locked || (this.picking ? !picked : lack && this.tool !== "paste"));
    apply.textContent = t(this.picking ? "paste_take" : this.tool === "paste" && lack ? "paste_other" : this.history.editing !== null ? "update" : "apply");
    const leave = this.root.querySelector('[data-do="leave"]');
    leave.hidden = !(this.picking || this.history.editing !== null || (this.stage.thing && moved(this.stage.to)));
    leave.textContent = t(this.picking ? "paste_back" : "leave");
    if (this.picking) this.one("advice").textContent = t("paste_pick");
    else if (this.tool === "paste" && !lack) this.one("advice").textContent = t("paste_place");
    if (this.stage.thing) this.tip("");
  }

  // The numbers of the form and the place on the canvas are the same.
  #numbers() {
    const { to } = this.stage;
    const shown = { dx: to.dx * 100, dy: to.dy * 100, scale: to.scale * 100, angle: to.angle };
    for (const [name, value] of Object.entries(shown)) {
      const field = this.one("fields").elements[name];
      if (field && document.activeElement !== field) field.value = String(Number(value.toFixed(2)));
    }
    const flip = this.one("fields").elements.flip;
    if (flip) flip.value = to.flip;
  }

  async #typed() {
    const { elements } = this.one("fields");
    const number = (name, by, low, high, digits) => {
      const value = Number(elements[name]?.value);
      if (elements[name] && elements[name].value !== "" && Number.isFinite(value)) {
        this.stage.to[name] = Number(Math.min(Math.max(value / by, low), high).toFixed(digits));
      }
    };
    number("dx", 100, -1, 1, 4);
    number("dy", 100, -1, 1, 4);
    number("scale", 100, 0.1, 10, 3);
    number("angle", 1, -180, 180, 1);
    if (elements.flip) this.stage.to.flip = elements.flip.value;
    if (elements.perspective) this.fields.perspective = elements.perspective.checked;
    for (const name of ["text", "with", "object"]) if (elements[name]) this.fields[name] = elements[name].value.trim();
    for (const name of ["photo", "outline"]) {
      const file = elements[name]?.files?.[0];
      if (!file || this.fields[name]?.file === file) continue;
      try {
        this.fields[name] = { ...(await api.bring(file)), file };
      } catch (error) {
        elements[name].value = "";
        this.wrong(error);
      }
    }
    this.#ready();
    this.stage.draw();
  }

  async apply() {
    if (this.picking) return this.takeOver();
    if (this.tool === "paste" && lacks("paste", this.state)) return this.pick();
    const lack = lacks(this.tool, this.state);
    if (lack) return this.wrong({ message: t(lack) });
    const { points, beside, word } = this.selection;
    const kind = TOOLS[this.tool];
    const request = { photo: this.photo, edits: entries(this.tool, this.state), ...settingsOf(this.one("settings")) };
    if (kind.thing && !word) Object.assign(request, { point: points, not_point: beside });
    if (kind.thing && word && kind.shown) Object.assign(request, { point: [this.stage.thing.inside] });
    const entry = { tool: this.tool, request, name: word || this.stage.thing?.from?.word || "", to: { ...this.stage.to }, selection: structuredClone(this.selection), fields: { ...this.fields } };
    this.#stopLooking();
    await this.history.apply(entry);
  }

  // Runs an edit; its result, or null where it was cancelled or went wrong.
  async run(request) {
    this.busy("stage_anchor");
    try {
      const job = await api.post("api/edit", request);
      return await this.watch(job.id);
    } catch (error) {
      this.idle();
      if (!error.cancelled) this.wrong(error);
      else this.say(t("cancelled"));
      return null;
    }
  }

  async watch(job) {
    this.working = job;
    this.history.keep();
    try {
      return await api.follow(job, {
        queued: ({ ahead }) => ahead && this.busy("stage_queued", { ahead }),
        stage: ({ stage, step, total }) => this.busy(has(`stage_${stage}`) ? `stage_${stage}` : "stage_other", {}, step, total),
      });
    } finally {
      this.idle();
      this.history.keep();
    }
  }

  // Bringing something over from a second photo

  pick() {
    this.picking = { back: this.photo, open: true };
    this.one("file").click();
    const cancelled = () => { if (this.picking?.open) this.picking = null; };
    this.one("file").addEventListener("cancel", cancelled, { once: true });
  }

  async pickFrom(photo) {
    this.picking = { back: this.history.current, photo };
    this.compare(false);
    await this.show(photo.id);
    this.stage.tool = { places: false };
    this.one("name").textContent = photo.name;
    this.tip(t("paste_pick"));
    this.#ready();
  }

  async takeOver() {
    const { thing } = this.stage;
    const { photo, back } = this.picking;
    const { points, word } = this.selection;
    const there = { width: this.stage.photo.naturalWidth, height: this.stage.photo.naturalHeight };
    this.picking = null;
    await this.show(back);
    const here = { width: this.stage.photo.naturalWidth, height: this.stage.photo.naturalHeight };
    const factor = Math.max(here.width, here.height) / Math.max(there.width, there.height);
    const across = (factor * there.width) / here.width;
    const down = (factor * there.height) / here.height;
    const [cx, cy] = thing.centroid;
    const carry = ([x, y]) => [0.5 + across * (x - cx), 0.5 + down * (y - cy)];
    const [x0, y0, x1, y1] = thing.box;
    this.stage.thing = {
      lines: thing.lines.map((line) => line.map(carry)), box: [...carry([x0, y0]), ...carry([x1, y1])],
      centroid: [0.5, 0.5], foot: carry(thing.foot), about: "centre", foreign: true, sprite: thing.sprite,
      from: { photo: photo.id, points: word ? [] : points, word },
    };
    // what is larger than most of the photo would be hard to take hold of
    const large = Math.max(across * (x1 - x0), down * (y1 - y0));
    this.stage.to = { ...STILL, scale: large > FITS ? Number((FITS / large).toFixed(3)) : 1 };
    this.choose("paste");
    this.note(t("paste_place"));
    this.#ready();
    this.stage.draw();
  }

  async leave() {
    if (this.picking) {
      const { back } = this.picking;
      this.picking = null;
      await this.show(back);
      return this.choose("paste");
    }
    if (this.history.editing !== null) return this.history.leaveEditing();
    this.stage.to = { ...STILL };
    if (this.stage.thing?.foreign) this.letGo();
    this.#numbers();
    this.#ready();
    this.stage.draw();
  }

  // Before and after

  compare(on) {
    this.stage.compare = on ? 0.5 : null;
    this.one("slider").hidden = !on;
    this.one("slide").value = 500;
    this.root.querySelector('[data-do="compare"]').setAttribute("aria-pressed", String(on));
    this.tip(on ? "" : this.#advice());
    this.stage.draw();
  }

  compareAt(share) {
    this.stage.compare = share;
    this.one("slide").value = Math.round(share * 1000);
    this.stage.draw();
  }

  // What the page tells

  busy(key, values = {}, step = 0, total = 0) {
    this.one("progress").hidden = false;
    const text = t(key, values);
    if (this.one("stage").textContent !== text) this.say(text);
    this.one("stage").textContent = text;
    this.one("steps").textContent = total > 1 ? `${step} / ${total}` : "";
    const meter = this.one("meter");
    if (total > 1) Object.assign(meter, { max: total, value: step });
    else meter.removeAttribute("value");
    this.root.querySelector('[data-do="cancel"]').hidden = key === "uploading";
    this.one("error").textContent = "";
    this.stage.locked = true;
    this.#ready();
  }

  idle() {
    this.working = null;
    this.stage.locked = false;
    this.one("progress").hidden = true;
    this.#ready();
  }

  wrong(error) {
    const ended = error.status === 404;
    // a hint that names flags is the command line's; the page has its own ways out
    const hint = has(`hint_${error.kind}`) ? t(`hint_${error.kind}`) : error.hint?.includes("--") ? "" : error.hint;
    const text = ended ? t("again") : [error.message, hint].filter(Boolean).join(" · ");
    const where = this.history.original ? this.one("error") : this.root.querySelector(".re-empty-note");
    where.textContent = text;
    where.classList.add("re-error");
    where.scrollIntoView({ block: "nearest" });
    this.say(text);
  }

  note(text, warning = "") {
    this.one("selected").textContent = [text, warning].filter(Boolean).join(" ");
  }

  tip(text) {
    this.one("tip").textContent = this.stage.compare === null ? text : "";
  }

  say(text) {
    this.one("say").textContent = text;
  }

  #forms() {
    this.one("tools").innerHTML = FIRST.map(
      (tool) => `<button type="button" data-tool="${tool}" aria-pressed="false">${TOOLS[tool].icon}<span>${label(tool)}</span></button>`,
    ).join("");
    const more = Object.keys(TOOLS).filter((tool) => !FIRST.includes(tool));
    this.one("more").innerHTML = `<option value="">${t("more_none")}</option>${more.map((tool) => `<option value="${tool}">${label(tool)}</option>`).join("")}`;
    this.one("settings").innerHTML = settingsForm();
  }

  #listen() {
    const { root } = this;
    const does = {
      open: () => this.one("file").click(), undo: () => this.history.go(-1), redo: () => this.history.go(1),
      compare: () => this.compare(this.stage.compare === null), apply: () => this.apply(), leave: () => this.leave(),
      cancel: () => this.working && api.remove(`api/jobs/${this.working}`).catch(() => {}),
      copy: async () => { await navigator.clipboard?.writeText(this.one("command").textContent).catch(() => {}); this.say(t("copied")); },
      forget: () => this.history.forget(),
    };
    root.addEventListener("click", (event) => {
      const { do: doing, tool, click } = event.target.closest("button")?.dataset ?? {};
      if (doing) does[doing]?.();
      if (tool) this.choose(tool);
      if (click) this.setClicks(click);
    });
    this.one("more").addEventListener("change", (event) => event.target.value && this.choose(event.target.value));
    this.one("file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (this.picking) this.picking.open = false;
      this.bring(file);
    });
    for (const name of ["fields", "settings"]) this.one(name).addEventListener("submit", (event) => event.preventDefault());
    this.one("fields").addEventListener("input", () => this.#typed());
    this.one("slide").addEventListener("input", (event) => this.compareAt(event.target.value / 1000));
    this.one("find").addEventListener("submit", (event) => {
      event.preventDefault();
      const word = new FormData(event.target).get("word").trim();
      if (!word || this.working) return;
      this.setClicks("new");
      this.selection = { ...NOTHING(), word };
      this.locate();
    });
    this.one("canvas").addEventListener("keydown", (event) => this.key(event));
    this.#dropping();
  }

  #dropping() {
    const drop = this.one("drop");
    const files = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => { if (files(event)) { event.preventDefault(); drop.hidden = false; } });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
    addEventListener("drop", (event) => {
      drop.hidden = true;
      if (!files(event)) return;
      event.preventDefault();
      this.bring(event.dataTransfer.files[0]);
    });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (file) this.bring(file);
    });
  }

  key(event) {
    const step = event.shiftKey ? 0.05 : 0.005;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { stage } = this;
    if (!stage.photo || stage.locked || event.ctrlKey || event.metaKey) return;
    const round = (value, digits) => Number(value.toFixed(digits));
    const carried = stage.thing && stage.tool.places && !stage.adding && !this.picking;
    if (stage.compare !== null && way) this.compareAt(Math.min(Math.max(stage.compare + way[0] * step, 0), 1));
    else if (way && carried) {
      stage.to.dx = round(Math.min(Math.max(stage.to.dx + way[0] * step, -1), 1), 4);
      stage.to.dy = round(Math.min(Math.max(stage.to.dy + way[1] * step, -1), 1), 4);
    } else if (way) {
      const [x, y] = stage.pointer ?? [0.5, 0.5];
      stage.pointer = [Math.min(Math.max(x + way[0] * step, 0), 0.999), Math.min(Math.max(y + way[1] * step, 0), 0.999)];
      if (!stage.thing || stage.adding) this.pointing.at(stage.pointer);
    } else if ((event.key === "Enter" || event.key === " ") && stage.pointer) {
      this.click(stage.pointer, { add: false, less: false, on: null });
      if (this.clicks === "new") stage.pointer = null;
    } else if (event.key === "Enter" && stage.thing) this.apply();
    else if (event.key === "Escape") { stage.pointer = null; this.letGo(); }
    else if (event.key === "Delete" && stage.thing && !stage.thing.foreign && !this.picking) this.choose("remove");
    else if (carried && "+=".includes(event.key)) stage.to.scale = round(Math.min(stage.to.scale * 1.05, 10), 3);
    else if (carried && event.key === "-") stage.to.scale = round(Math.max(stage.to.scale / 1.05, 0.1), 3);
    else if (carried && stage.tool.turns && "[]".includes(event.key)) stage.to.angle = round(stage.to.angle + (event.key === "]" ? 2 : -2), 1);
    else return;
    event.preventDefault();
    this.#numbers();
    this.#ready();
    stage.draw();
  }
}
