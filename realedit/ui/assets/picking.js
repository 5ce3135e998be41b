// Bringing a thing over from a second photo: that photo is shown, the thing is chosen there, then put in its place.
import * as api from "./api.js";
import { STILL } from "./geometry.js";

const FITS = 0.5; // share of the photo that what is brought begins with, at most

export class Picking {
  constructor(app) {
    this.app = app;
    this.photo = null; // the second photo, while it is shown
    this.wanted = false; // whether the next photo that comes is the second one
  }

  get active() {
    return this.photo !== null;
  }

  // Asks for the second photo.
  ask() {
    this.wanted = true;
    const file = this.app.one("file");
    file.addEventListener("cancel", () => { this.wanted = false; }, { once: true });
    file.click();
  }

  async show(photo) {
    const { app } = this;
    this.wanted = false;
    this.photo = photo;
    app.compare(false);
    app.panel.choose("paste");
    await app.show(photo.id);
    app.root.dataset.state = "picking";
    app.stage.tool = { places: false };
    app.one("name").textContent = photo.name;
    app.panel.ready();
  }

  // Back to the first photo, with the chosen thing in its middle.
  async take() {
    const { app } = this;
    const { thing, photo: there } = app.stage;
    const { points, word } = app.choosing.selection;
    const from = { photo: this.photo.id, points: word ? [] : points, word, size: [there.naturalWidth, there.naturalHeight] };
    await this.#leave();
    this.#hold(thing, from);
    // what is larger than most of the photo would be hard to take hold of
    const [x0, y0, x1, y1] = app.stage.thing.box;
    const large = Math.max(x1 - x0, y1 - y0);
    app.stage.to = { ...STILL, scale: large > FITS ? Number((FITS / large).toFixed(3)) : 1 };
    app.panel.choose("paste");
  }

  // Takes up again what an edit has brought: where it came from, where it was put.
  async again(from, to) {
    const { app } = this;
    const asked = { photo: from.photo, preview: true, ...(from.word ? { word: from.word } : { point: from.points }) };
    app.busy("stage_looking");
    try {
      const job = await api.post("api/locate", asked);
      const found = await new Promise((resolve, reject) => {
        api.follow(job.id, { found: resolve }).catch(reject);
      });
      this.#hold({ ...found, spriteBox: found.sprite, sprite: await api.picture(api.fileOf(job.id, "sprite.png")) }, from);
      app.stage.to = { ...to };
    } catch (error) {
      app.tell.wrong(error);
    } finally {
      app.idle();
    }
    app.stage.draw();
  }

  // A thing of another photo is held over the middle of this one, as large in its photo's longer side as it was there.
  #hold(thing, from) {
    const { stage } = this.app;
    const [width, height] = [stage.photo.naturalWidth, stage.photo.naturalHeight];
    const factor = Math.max(width, height) / Math.max(...from.size);
    const [across, down] = [(factor * from.size[0]) / width, (factor * from.size[1]) / height];
    const [cx, cy] = thing.centroid;
    const carry = ([x, y]) => [0.5 + across * (x - cx), 0.5 + down * (y - cy)];
    const boxed = ([x0, y0, x1, y1]) => [...carry([x0, y0]), ...carry([x1, y1])];
    stage.thing = {
      lines: thing.lines.map((line) => line.map(carry)), box: boxed(thing.box), spriteBox: boxed(thing.spriteBox),
      centroid: [0.5, 0.5], foot: carry(thing.foot), about: "centre", foreign: true, sprite: thing.sprite, from,
    };
  }

  async back() {
    await this.#leave();
    this.app.panel.choose("move");
  }

  async #leave() {
    const { app } = this;
    this.photo = null;
    await app.show(app.history.current);
  }
}
