// What the page tells: the progress of work, what went wrong, and a line on the photo.
import { sentence, t } from "./texts.js";

const SEEN_SECONDS = 5; // how long a line on the photo stays that says what was done

export class Telling {
  constructor(app) {
    this.app = app;
    this.one = app.one;
  }

  // Work goes on: its stage, its step of so many.
  busy(key, values = {}, step = 0, total = 0) {
    const text = t(key, values);
    if (this.one("stage").textContent !== text) this.say(text);
    this.one("progress").hidden = false;
    this.one("stage").textContent = text;
    this.one("steps").textContent = total > 1 ? `${step} / ${total}` : "";
    const meter = this.one("meter");
    if (total > 1) Object.assign(meter, { max: total, value: step });
    else meter.removeAttribute("value");
    this.app.button("cancel").hidden = key === "uploading";
    this.one("error").textContent = "";
  }

  idle() {
    this.one("progress").hidden = true;
  }

  wrong(error) {
    const values = { word: this.app.choosing.selection.word || t("thing"), mb: this.app.mostMegabytes };
    const text = error.status === 404 ? t("again") : sentence(error, values);
    const where = this.app.history.original ? this.one("error") : this.app.root.querySelector(".re-empty-note");
    where.textContent = text;
    where.classList.add("re-error");
    where.scrollIntoView({ block: "nearest" });
    this.say(text);
  }

  // What is chosen, beside the field for its name.
  note(text) {
    this.one("selected").textContent = text;
  }

  // A line on the photo: what to do next. It waits while what was done is to be read.
  tip(text) {
    this.next = text;
    if (!this.reading) this.#line(text);
  }

  // A line on the photo that goes by itself: what was done.
  done(text) {
    this.read();
    this.#line(text);
    this.say(text);
    this.reading = setTimeout(() => { this.read(); this.#line(this.next); }, SEEN_SECONDS * 1000);
  }

  // What was done counts as read: something else is begun.
  read() {
    clearTimeout(this.reading);
    this.reading = 0;
  }

  #line(text) {
    this.one("tip").textContent = this.app.stage.compare === null ? text : "";
  }

  // What a screen reader speaks.
  say(text) {
    this.one("say").textContent = text;
  }
}
