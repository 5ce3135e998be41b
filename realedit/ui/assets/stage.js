// The canvas: shows the photo, the outline under the pointer, the chosen object and its handles, and what is
// dragged. It knows nothing of the server; what happens on it is told to the functions in `on`.
import { STILL, carrier, centreOf, handlesOf, moved, within } from "./geometry.js";

const NEAR = { mouse: 14, pen: 18, touch: 26 }; // pixels about a handle that take it
const UPRIGHT = 0.46; // share of an upright screen that the photo has at most, above the panel
const STILL_PIXELS = 5; // a press that moves less is a click

export class Stage {
  constructor(canvas, frame, on) {
    Object.assign(this, { canvas, frame, on, context: canvas.getContext("2d") });
    this.frames = 0;
    this.clear();
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => this.#letGo());
    canvas.addEventListener("pointerleave", () => { this.hover = null; this.on.leave(); this.draw(); });
    new ResizeObserver(() => this.fit()).observe(frame.parentElement);
  }

  clear() {
    this.photo = this.before = this.cleared = this.shadow = null;
    this.hover = this.thing = this.pointer = this.compare = null;
    this.to = { ...STILL };
    this.tool = { places: true, turns: true, stays: false };
    this.adding = false;
    this.press = null;
  }

  // Fits the photo into the room that there is.
  fit() {
    if (!this.photo) return;
    const room = this.frame.parentElement;
    const style = getComputedStyle(room);
    const across = room.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const upright = matchMedia("(max-width: 820px) and (orientation: portrait)").matches;
    const down = upright ? innerHeight * UPRIGHT : room.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const scale = Math.min(across / this.photo.naturalWidth, down / this.photo.naturalHeight);
    this.width = Math.max(1, Math.round(this.photo.naturalWidth * scale));
    this.height = Math.max(1, Math.round(this.photo.naturalHeight * scale));
    const dots = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(this.width * dots);
    this.canvas.height = Math.round(this.height * dots);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.dots = dots;
    this.draw();
  }

  draw() {
    if (this.waiting || !this.photo) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.#paint(); });
  }

  get placed() {
    return this.thing && this.tool.places && (this.thing.foreign || moved(this.to));
  }

  #paint() {
    this.frames += 1;
    const { context: c, width: w, height: h } = this;
    c.setTransform(this.dots, 0, 0, this.dots, 0, 0);
    c.clearRect(0, 0, w, h);
    if (this.compare !== null && this.before) return this.#paintBoth();
    const away = this.thing && !this.thing.foreign && ((this.placed && !this.tool.stays) || this.tool.removes);
    c.imageSmoothingQuality = "high";
    c.drawImage(this.photo, 0, 0, w, h);
    if (away && this.cleared) c.drawImage(this.cleared, 0, 0, w, h); // no more than what is behind the thing
    if (away && !this.cleared) this.#veil(this.thing.lines);
    if (this.thing) this.#paintThing(away);
    else if (this.hover) this.#line(this.hover, ([x, y]) => [x * w, y * h], false);
    if (this.thing && this.adding && this.hover) this.#line(this.hover, ([x, y]) => [x * w, y * h], true);
    for (const point of this.thing?.points ?? []) this.#dot(point, true);
    for (const point of this.thing?.beside ?? []) this.#dot(point, false);
    if (this.pointer) this.#cross(this.pointer);
  }

  #paintBoth() {
    const { context: c, width: w, height: h } = this;
    const at = this.compare * w;
    c.drawImage(this.photo, 0, 0, w, h);
    c.save();
    c.beginPath();
    c.rect(0, 0, at, h);
    c.clip();
    c.drawImage(this.before, 0, 0, w, h);
    c.restore();
    c.fillStyle = "rgba(20,20,19,0.45)";
    c.fillRect(at - 2, 0, 4, h);
    c.fillStyle = "#fff";
    c.fillRect(at - 1, 0, 2, h);
    c.beginPath();
    c.arc(at, h / 2, 15, 0, 7);
    c.shadowColor = "rgba(0,0,0,0.4)";
    c.shadowBlur = 6;
    c.fill();
    c.shadowBlur = 0;
    c.strokeStyle = "#1d1c1a";
    c.lineWidth = 1.8;
    c.lineJoin = c.lineCap = "round";
    c.beginPath();
    for (const side of [-1, 1]) {
      c.moveTo(at + side * 4, h / 2 - 5);
      c.lineTo(at + side * 9, h / 2);
      c.lineTo(at + side * 4, h / 2 + 5);
    }
    c.stroke();
  }

  #paintThing(away) {
    const { thing, to, width: w, height: h } = this;
    const shown = this.placed ? to : STILL;
    const carry = carrier(thing, shown, w, h);
    if (this.placed && this.shadow && this.tool.casts) this.#shade(thing, shown);
    if (this.placed && thing.sprite) this.#sprite(thing, shown);
    if (this.tool.removes) {
      if (!this.cleared) this.#line(thing.lines, carry, false);
      return;
    }
    if (this.press?.far && this.press.kind) return; // nothing lies over what is being carried
    this.#line(thing.lines, carry, true);
    if (!this.tool.places || this.adding || this.locked) return;
    this.#handles(handlesOf(thing, shown, w, h, this.tool.turns));
  }

  #sprite(thing, to) {
    const { context: c, width: w, height: h } = this;
    const [cx, cy] = centreOf(thing, to, w, h);
    const [x0, y0, x1, y1] = thing.spriteBox;
    c.save();
    c.translate(cx, cy);
    c.rotate((to.angle * Math.PI) / 180);
    c.scale(to.scale * (to.flip === "horizontal" ? -1 : 1), to.scale * (to.flip === "vertical" ? -1 : 1));
    c.imageSmoothingQuality = "high";
    c.drawImage(thing.sprite, (x0 - thing.centroid[0]) * w, (y0 - thing.centroid[1]) * h, (x1 - x0) * w, (y1 - y0) * h);
    c.restore();
  }

  // The thing's shadow goes along; a mirrored thing's is only shifted, because the light comes from where it came.
  #shade(thing, to) {
    const { context: c, width: w, height: h } = this;
    const { box: [x0, y0, x1, y1], image } = this.shadow;
    const mirrored = to.flip !== "none";
    const [ox, oy] = mirrored ? thing.foot : thing.centroid;
    c.save();
    c.globalCompositeOperation = "multiply";
    c.translate(...(mirrored ? carrier(thing, to, w, h)(thing.foot) : centreOf(thing, to, w, h)));
    if (!mirrored) c.rotate((to.angle * Math.PI) / 180);
    c.scale(to.scale, to.scale);
    c.drawImage(image, (x0 - ox) * w, (y0 - oy) * h, (x1 - x0) * w, (y1 - y0) * h);
    c.restore();
  }

  // An outline: light on dark, so that it is seen on any photo; what is only pointed at is dashed.
  #line(lines, carry, firm) {
    const c = this.context;
    c.save();
    c.beginPath();
    for (const line of lines) {
      line.forEach((place, number) => c[number ? "lineTo" : "moveTo"](...carry(place)));
      c.closePath();
    }
    if (!firm) {
      c.fillStyle = "rgba(255,255,255,0.22)";
      c.fill("evenodd");
    }
    c.lineJoin = "round";
    c.lineWidth = 4;
    c.strokeStyle = "rgba(20,22,60,0.65)";
    c.stroke();
    c.lineWidth = 2;
    c.strokeStyle = firm ? "#c9ceff" : "#ffffff";
    if (!firm) c.setLineDash([7, 5]);
    c.stroke();
    c.restore();
  }

  #veil(lines) {
    const { context: c, width: w, height: h } = this;
    c.save();
    c.beginPath();
    for (const line of lines) {
      line.forEach(([x, y], number) => c[number ? "lineTo" : "moveTo"](x * w, y * h));
      c.closePath();
    }
    c.fillStyle = "rgba(128,126,122,0.6)";
    c.fill("evenodd");
    c.restore();
  }

  #handles(handles) {
    const c = this.context;
    const corners = handles.filter((one) => one.kind === "scale").map((one) => one.at);
    c.save();
    c.strokeStyle = "rgba(255,255,255,0.9)";
    c.shadowColor = "rgba(0,0,0,0.6)";
    c.shadowBlur = 3;
    c.lineWidth = 1.2;
    c.beginPath();
    corners.forEach((at, number) => c[number ? "lineTo" : "moveTo"](...at));
    c.closePath();
    const turn = handles.find((one) => one.kind === "turn");
    if (turn) {
      c.moveTo(...turn.from);
      c.lineTo(...turn.at);
    }
    c.stroke();
    for (const { kind, at } of handles) {
      c.beginPath();
      if (kind === "turn") c.arc(...at, 8, 0, 7);
      else c.rect(at[0] - 6, at[1] - 6, 12, 12);
      c.fillStyle = "#fff";
      c.fill();
      c.strokeStyle = "#3b46c4";
      c.lineWidth = 2;
      c.stroke();
    }
    c.restore();
  }

  #dot([x, y], on) {
    const { context: c, width: w, height: h } = this;
    if (this.placed) return;
    c.beginPath();
    c.arc(x * w, y * h, 7, 0, 7);
    c.fillStyle = on ? "#3b46c4" : "#b3261e";
    c.fill();
    c.lineWidth = 2;
    c.strokeStyle = "#fff";
    c.stroke();
    c.beginPath();
    c.moveTo(x * w - 3.5, y * h);
    c.lineTo(x * w + 3.5, y * h);
    if (on) {
      c.moveTo(x * w, y * h - 3.5);
      c.lineTo(x * w, y * h + 3.5);
    }
    c.stroke();
  }

  #cross([x, y]) {
    const { context: c, width: w, height: h } = this;
    for (const [wide, colour] of [[4, "rgba(20,20,19,0.7)"], [2, "#fff"]]) {
      c.strokeStyle = colour;
      c.lineWidth = wide;
      c.beginPath();
      c.moveTo(x * w - 14, y * h);
      c.lineTo(x * w + 14, y * h);
      c.moveTo(x * w, y * h - 14);
      c.lineTo(x * w, y * h + 14);
      c.stroke();
    }
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #share([x, y]) {
    const keep = (value) => Number(Math.min(Math.max(value, 0), 0.9999).toFixed(4));
    return [keep(x / this.width), keep(y / this.height)];
  }

  // What is under a pixel: a handle, the chosen object, or null.
  #hit(at, pointer) {
    if (!this.thing || !this.tool.places || this.adding || this.locked) return null;
    const shown = this.placed ? this.to : STILL;
    for (const handle of handlesOf(this.thing, shown, this.width, this.height, this.tool.turns)) {
      if (Math.hypot(handle.at[0] - at[0], handle.at[1] - at[1]) <= (NEAR[pointer] ?? NEAR.mouse)) return handle.kind;
    }
    const carry = carrier(this.thing, shown, this.width, this.height);
    const lines = this.thing.lines.map((line) => line.map(carry));
    const [xs, ys] = [lines.flat().map(([x]) => x), lines.flat().map(([, y]) => y)];
    const small = Math.max(...xs) - Math.min(...xs) < 40 || Math.max(...ys) - Math.min(...ys) < 40;
    const near = small && at[0] >= Math.min(...xs) - 8 && at[0] <= Math.max(...xs) + 8 && at[1] >= Math.min(...ys) - 8 && at[1] <= Math.max(...ys) + 8;
    return near || within(lines, at) ? "move" : null;
  }

  // Whether a pixel lies in the box between the handles.
  #inBox(at) {
    if (!this.thing || !this.tool.places || this.adding || this.locked) return false;
    const shown = this.placed ? this.to : STILL;
    const corners = handlesOf(this.thing, shown, this.width, this.height, false).map((handle) => handle.at);
    return within([corners], at);
  }

  #down(event) {
    if (!this.photo || this.locked || event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.#at(event);
    this.pointer = null;
    if (this.compare !== null) {
      this.press = { kind: "compare" };
      this.on.compare(Math.min(Math.max(at[0] / this.width, 0), 1));
      return;
    }
    const on = this.#hit(at, event.pointerType);
    // a drag may begin anywhere in its box; a click there, beside it, is meant for what is there
    this.press = { kind: on ?? (this.#inBox(at) ? "move" : null), on, at, from: { ...this.to }, far: false };
  }

  #move(event) {
    if (!this.photo || this.locked) return;
    const at = this.#at(event);
    if (!this.press) {
      const kind = this.compare === null ? (this.#hit(at, event.pointerType) ?? (this.#inBox(at) ? "move" : null)) : "compare";
      this.canvas.dataset.cursor = kind === "move" ? "move" : kind === "compare" ? "none" : kind || "";
      if (this.compare === null && (!this.thing || this.adding)) this.on.point(this.#share(at));
      return;
    }
    if (this.press.kind === "compare") return this.on.compare(Math.min(Math.max(at[0] / this.width, 0), 1));
    const far = Math.hypot(at[0] - this.press.at[0], at[1] - this.press.at[1]) >= STILL_PIXELS;
    if (!this.press.far && !far) return;
    this.press.far = true;
    if (!this.press.kind) return;
    this.canvas.dataset.cursor = this.press.kind === "move" ? "drag" : this.press.kind;
    this.#carry(at);
    this.on.drag();
    this.draw();
  }

  #carry(at) {
    const { kind, at: start, from } = this.press;
    const round = (value, digits) => Number(value.toFixed(digits));
    if (kind === "move") {
      this.to.dx = round(from.dx + (at[0] - start[0]) / this.width, 4);
      this.to.dy = round(from.dy + (at[1] - start[1]) / this.height, 4);
      return;
    }
    const about = kind === "turn" ? centreOf(this.thing, from, this.width, this.height) : this.#pivot(from);
    if (kind === "scale") {
      const reach = (place) => Math.hypot(place[0] - about[0], place[1] - about[1]);
      this.to.scale = round(Math.min(Math.max((from.scale * reach(at)) / Math.max(reach(start), 1), 0.1), 10), 3);
      return;
    }
    const angle = (place) => Math.atan2(place[1] - about[1], place[0] - about[0]);
    let turn = from.angle + ((angle(at) - angle(start)) * 180) / Math.PI;
    turn = ((((turn + 180) % 360) + 360) % 360) - 180;
    this.to.angle = Math.abs(turn) < 2 ? 0 : round(turn, 1);
  }

  #pivot(from) {
    if (this.thing.about === "centre") return centreOf(this.thing, from, this.width, this.height);
    return [(this.thing.foot[0] + from.dx) * this.width, (this.thing.foot[1] + from.dy) * this.height];
  }

  #up(event) {
    const press = this.press;
    this.#letGo();
    if (!press || press.kind === "compare") return;
    this.draw();
    if (press.far) return this.on.drop();
    this.on.click(this.#share(this.#at(event)), { add: event.shiftKey, less: event.altKey, on: press.on });
  }

  #letGo() {
    this.press = null;
    this.canvas.dataset.cursor = "";
  }
}
