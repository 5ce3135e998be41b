// Choosing a thing: by a click, by further clicks that add places or take them off, by its name.
import * as api from "./api.js";
import { STILL } from "./geometry.js";
import { t } from "./texts.js";

const NOTHING = () => ({ points: [], beside: [], word: "" });

export class Choosing {
  constructor(app) {
    this.app = app;
    this.selection = NOTHING();
    this.clicks = "new";
  }

  async click(place, { add, less, on }) {
    const { app } = this;
    if (app.working) return;
    const mode = add ? "add" : less ? "less" : this.clicks;
    if (mode === "new" && on) return; // on the chosen thing: it is dragged, not chosen again
    app.tell.read();
    const chosen = app.stage.thing;
    if (chosen?.foreign) return; // beside what is brought over: it stays in hand
    if (mode === "new" || !chosen) {
      this.selection = { ...NOTHING(), points: [place] };
    } else {
      if (!this.selection.points.length) this.selection = { ...NOTHING(), points: [chosen.inside] };
      this.selection[mode === "add" ? "points" : "beside"].push(place);
    }
    const rough = app.pointing.lines(place);
    if (mode === "new" && rough) this.#roughly(rough, place);
    await this.locate();
  }

  async byName(word) {
    if (!word || this.app.working) return;
    this.app.tell.read();
    this.setClicks("new");
    this.selection = { ...NOTHING(), word };
    await this.locate();
  }

  // Shows at once what the pointer has shown; what the answer says takes its place.
  #roughly(lines, place) {
    const [xs, ys] = [lines.flat().map(([x]) => x), lines.flat().map(([, y]) => y)];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    this.#take({ lines, box, centroid: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], foot: [(box[0] + box[2]) / 2, box[3]], inside: place });
    this.app.stage.locked = true;
  }

  #take(thing) {
    const { points, beside } = this.selection;
    const shown = this.clicks === "new" ? {} : { points, beside };
    const { stage } = this.app;
    stage.thing = { ...thing, ...shown };
    stage.hover = null;
    this.app.one("clicks").hidden = false;
    stage.draw();
  }

  // Asks where what is selected lies; the answer becomes the chosen thing, then comes the photo without it.
  async locate() {
    const { app } = this;
    const { points, beside, word } = this.selection;
    const asked = { photo: app.photo, preview: true, ...(word ? { word } : { point: points, not_point: beside }) };
    const { prompt } = app.panel.settings();
    if (prompt) asked.prompt = prompt;
    this.stopLooking();
    app.one("error").textContent = "";
    app.tell.note(t("looking"));
    app.tell.tip(t("looking"));
    const keep = { ...app.stage.to };
    let job = null;
    try {
      job = await api.post("api/locate", asked);
      this.looking = job.id;
      const mine = () => this.looking === job.id;
      await api.follow(job.id, {
        found: (found) => this.#found(job.id, found, keep),
        cleared: async ({ shadow: box }) => {
          const image = await api.picture(api.fileOf(job.id, "cleared.png"));
          const shadow = box && { box, image: await api.picture(api.fileOf(job.id, "shadow.png")) };
          if (mine()) Object.assign(app.stage, { cleared: image, shadow }).draw();
        },
      });
    } catch (error) {
      if (error.cancelled || (job && this.looking !== job.id)) return;
      app.stage.locked = false;
      app.tell.wrong(error);
      this.letGo();
    }
  }

  async #found(job, found, keep) {
    const { app } = this;
    const sprite = await api.picture(api.fileOf(job, "sprite.png"));
    if (this.looking !== job) return;
    const { word } = this.selection;
    app.stage.locked = false;
    app.stage.cleared = app.stage.shadow = null;
    this.#take({ ...found, sprite, spriteBox: found.sprite });
    app.stage.to = keep;
    app.tell.note(found.warning ? t("unsure") : word ? t("chosen_word", { word }) : t("chosen"));
    app.panel.ready();
  }

  stopLooking() {
    if (this.looking) api.remove(`api/jobs/${this.looking}`).catch(() => {});
    this.looking = null;
  }

  letGo() {
    const { app } = this;
    this.stopLooking();
    this.selection = NOTHING();
    Object.assign(app.stage, { thing: null, cleared: null, shadow: null, to: { ...STILL }, locked: false, hover: null });
    this.setClicks("new");
    app.one("clicks").hidden = true;
    app.root.querySelector("#re-word").value = "";
    app.tell.note("");
    app.panel.numbers();
    app.panel.ready();
    app.tell.tip(app.advice());
    app.stage.draw();
  }

  // What a click on the photo does: "new" chooses, "add" adds a place, "less" takes one off.
  setClicks(mode) {
    this.clicks = mode;
    this.app.stage.adding = mode !== "new";
    for (const button of this.app.root.querySelectorAll("[data-click]")) {
      button.setAttribute("aria-pressed", String(button.dataset.click === mode));
    }
    this.app.stage.draw();
  }
}
