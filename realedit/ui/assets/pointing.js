// The outline under the pointer: asked for one place at a time, and remembered, so that it is there at once where the
// pointer was before.
import { within } from "./geometry.js";
import * as api from "./api.js";

const SAME = 0.012; // shares of the photo's sides: nearer than this the answer is the same
const LIKELY = 0.12; // nearer than this an outline that holds the place is shown until its own answer comes
const MOST = 400;

export class Pointing {
  constructor(show) {
    this.show = show;
    this.forget(null);
  }

  forget(photo) {
    this.photo = photo;
    this.known = [];
    this.wanted = this.asked = null;
  }

  // Shows what is under a place: what is remembered at once, else what the server says.
  at(place) {
    const near = this.#nearest(place);
    if (near && near.far <= SAME) {
      this.wanted = null;
      this.show(near.lines, place);
      return;
    }
    const likely = near && near.far <= LIKELY && within(near.lines, place) ? near.lines : null;
    this.show(likely, place);
    this.wanted = place;
    this.#ask();
  }

  leave() {
    this.wanted = null;
    this.show(null, null);
  }

  lines(place) {
    const near = this.#nearest(place);
    return near && near.far <= 2 * SAME ? near.lines : null;
  }

  #nearest([x, y]) {
    let best = null;
    for (const one of this.known) {
      const far = Math.hypot(one.place[0] - x, one.place[1] - y);
      if (!best || far < best.far) best = { ...one, far };
    }
    return best;
  }

  async #ask() {
    if (this.asked || !this.photo || !this.wanted) return;
    const { photo } = this;
    const place = (this.asked = this.wanted);
    try {
      const { lines } = await api.post(`api/photos/${photo}/outline`, { point: [place] });
      if (photo !== this.photo) return;
      this.known.push({ place, lines });
      if (this.known.length > MOST) this.known.shift();
    } catch { /* the next place asks again */
    } finally {
      this.asked = null;
    }
    if (this.wanted) this.at(this.wanted);
  }
}
