// The page: which photo is shown, what is done to it, and what runs. The parts are beside it: the canvas (stage.js),
// choosing (choosing.js), the panel (panel.js), the list of edits (history.js), a second photo (picking.js).
import * as api from "./api.js";
import { Choosing } from "./choosing.js";
import { History } from "./history.js";
import { listenToKeys } from "./keys.js";
import { listen } from "./listening.js";
import { Panel } from "./panel.js";
import { Picking } from "./picking.js";
import { Pointing } from "./pointing.js";
import { Stage } from "./stage.js";
import { Telling } from "./telling.js";
import { fill, has, loadTexts, t } from "./texts.js";
import { TOOLS } from "./tools.js";

const ALIVE_SECONDS = 60; // how often the session says that its page is open

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
    this.button = (name) => root.querySelector(`[data-do="${name}"]`);
    fill(root);
    if (!facts.local) root.querySelector(".re-empty-note").textContent = t("empty_note_away");
    this.tell = new Telling(this);
    this.choosing = new Choosing(this);
    this.picking = new Picking(this);
    this.stage = new Stage(this.one("canvas"), this.one("frame"), {
      point: (place) => this.pointing.at(place),
      leave: () => this.pointing.leave(),
      click: (place, how) => this.choosing.click(place, how),
      drag: () => { this.panel.numbers(); this.panel.ready(); },
      drop: () => this.panel.ready(),
      compare: (share) => this.compareAt(share),
    });
    this.pointing = new Pointing((lines) => { this.stage.hover = lines; this.stage.draw(); });
    this.panel = new Panel(this);
    this.history = new History(this);
    listen(this);
    listenToKeys(this);
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

  get mostMegabytes() {
    return Math.round((this.facts.limits?.bytes ?? 0) / 2 ** 20);
  }

  // Bringing photos

  // Takes a file that was dropped, pasted, or chosen to be opened.
  async bring(file, isToOpen = false) {
    if (!file || this.working) return;
    const most = this.facts.limits?.bytes;
    if (most && file.size > most) return this.tell.wrong({ key: "file_too_large" });
    const what = await this.#meant(isToOpen);
    if (!what) return;
    this.busy("uploading");
    try {
      const photo = await api.bring(file);
      await (what === "part" ? this.picking.show(photo) : this.open(photo));
    } catch (error) {
      this.tell.wrong(error);
    } finally {
      this.idle();
    }
  }

  // What a photo is brought for: "whole", to be edited itself, "part", to take something from, or "" for neither.
  async #meant(isToOpen) {
    if (this.picking.wanted || this.picking.active) return "part";
    if (!this.history.original || (isToOpen && !this.history.steps.length)) return "whole";
    const dialog = this.one("meant");
    this.one("meant-lost").hidden = !this.history.steps.length;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    return dialog.returnValue;
  }

  async open(photo) {
    this.history.begin(photo);
    await this.show(photo.id);
    this.panel.choose("move");
    this.tell.say(t("nothing_chosen"));
  }

  // Shows a photo of the session, with nothing chosen.
  async show(id) {
    this.loading = true;
    this.stage.locked = true;
    const image = await api.picture(api.viewOf(id)).catch((error) => { this.loading = false; throw error; });
    const before = this.history.original && !this.picking.active ? await this.#original() : image;
    this.stage.clear();
    Object.assign(this.stage, { photo: image, before });
    this.photo = id;
    this.isPreparing = true;
    this.root.dataset.state = "photo";
    this.choosing.letGo();
    this.pointing.forget(id);
    for (const [name, hidden] of [["empty", true], ["frame", false], ["panel", false]]) this.one(name).hidden = hidden;
    this.one("canvas").setAttribute("aria-label", t("canvas"));
    this.one("name").textContent = this.history.original?.name ?? "";
    this.stage.fit();
    this.loading = false;
    this.#makeReady(id);
  }

  async #makeReady(id) {
    await api.post(`api/photos/${id}/ready`).catch(() => {});
    if (this.photo !== id) return;
    this.isPreparing = false;
    if (!this.stage.thing && !this.working) this.tell.tip(this.advice());
    this.panel.ready();
  }

  async #original() {
    const { original } = this.history;
    if (this.first?.id !== original.id) this.first = { id: original.id, image: await api.picture(api.viewOf(original.id)) };
    return this.first.image;
  }

  // The line on the photo: what to do next.
  advice() {
    if (!this.photo || this.stage.thing) return "";
    if (this.isPreparing) return t("preparing");
    if (this.picking.active) return t("paste_pick");
    return TOOLS[this.panel.tool].thing ? t("nothing_chosen") : "";
  }

  // Doing edits

  async apply() {
    if (this.working) return;
    if (this.picking.active) return this.stage.thing ? this.picking.take() : undefined;
    const { lack, tool, fields } = this.panel;
    if (lack && tool === "paste") return this.picking.ask();
    if (lack) return this.tell.wrong({ message: t(lack) });
    const { selection } = this.choosing;
    const { to, thing } = this.stage;
    const name = selection.word || thing?.from?.word || "";
    const request = this.panel.request();
    this.choosing.stopLooking();
    await this.history.apply({ tool, request, name, from: thing?.from, to: { ...to }, selection: structuredClone(selection), fields: { ...fields } });
  }

  // Runs an edit; its result, or null where it was cancelled or went wrong.
  async run(request) {
    this.busy("stage_anchor");
    try {
      const job = await api.post("api/edit", request);
      return await this.watch(job.id);
    } catch (error) {
      this.idle();
      if (!error.cancelled) this.tell.wrong(error);
      else this.tell.done(t("cancelled"));
      return null;
    }
  }

  // Follows a job of an edit to its end.
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

  cancel() {
    if (this.working) api.remove(`api/jobs/${this.working}`).catch(() => {});
  }

  busy(key, values, step, total) {
    this.tell.busy(key, values, step, total);
    this.stage.locked = true;
    this.panel.ready();
  }

  idle() {
    this.working = null;
    this.stage.locked = false;
    this.tell.idle();
    this.panel.ready();
  }

  // Before and after

  compare(on) {
    this.stage.compare = on ? 0.5 : null;
    this.one("slider").hidden = !on;
    this.one("slide").value = 500;
    this.button("compare").setAttribute("aria-pressed", String(on));
    this.tell.read();
    this.tell.tip(on ? "" : this.advice());
    this.stage.draw();
  }

  compareAt(share) {
    this.stage.compare = share;
    this.one("slide").value = Math.round(share * 1000);
    this.stage.draw();
  }
}
