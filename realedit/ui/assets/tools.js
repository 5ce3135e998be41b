// What can be done: for each edit its fields, what it needs, and the entry that the server reads.
import { t } from "./texts.js";

const path = (d) => `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${d}"/></svg>`;

// `thing`: it edits the chosen object. `implied`: the object needs no name where it is shown. `places`: it is
// dragged. `fields`: what the form asks for.
export const TOOLS = {
  move: {
    icon: path("M10 3v14M3 10h14M10 3 8 5m2-2 2 2M10 17l-2-2m2 2 2-2M3 10l2-2m-2 2 2 2M17 10l-2-2m2 2-2 2"),
    thing: true, places: true, turns: true, advice: "move_advice",
    fields: ["dx", "dy", "scale", "angle", "flip", "perspective"],
  },
  remove: {
    icon: path("M4 6h12M8 6V4h4v2M6 6l1 10h6l1-10M9 9v4m2-4v4"),
    thing: true, removes: true, advice: "remove_advice", fields: [],
    entries: (name) => [{ remove: name ?? "object" }],
  },
  copy: {
    icon: path("M7 7h9v9H7zM13 7V4H4v9h3"), label: "copy_tool",
    thing: true, places: true, stays: true, advice: "copy_advice", fields: ["dx", "dy", "scale", "perspective"],
  },
  paste: {
    icon: path("M3 5h9v9H3zM12 8h5v9H8v-3M5.5 11.5l2-2 2.5 2.5"),
    places: true, foreign: true, advice: "paste_advice", fields: [],
  },
  swap: { thing: true, named: true, advice: "named_advice", fields: ["with"], entries: (name, f) => [{ swap: name, with: f.with }] },
  restyle: {
    thing: true, advice: "text_advice", fields: ["text"],
    entries: (name, f) => [{ restyle: name ?? null, as: f.text }],
  },
  like: {
    thing: true, fields: ["photo_optional", "object"],
    entries: (name, f) => [{ restyle: name ?? null, ...(f.photo ? { like: f.photo.id } : {}), ...(f.object ? { object: f.object } : {}) }],
  },
  swap_looks: { thing: true, named: true, advice: "named_advice", fields: ["with"], entries: (name, f) => [{ swap_looks: name, with: f.with }] },
  look_of: { fields: ["photo"], entries: (name, f) => [{ look_of: f.photo.id }] },
  replace: {
    thing: true, advice: "text_advice", fields: ["text"],
    entries: (name, f) => [{ replace: name ?? "object", with: f.text }],
  },
  background: {
    thing: true, advice: "text_advice", fields: ["text"],
    entries: (name, f) => [{ background: f.text, ...(name ? { keep: name } : {}) }],
  },
  retouch: { thing: true, shown: true, advice: "text_advice", fields: ["text"], entries: (name, f) => [{ retouch: f.text }] },
  reshape: { thing: true, fields: ["outline"], entries: (name, f) => [{ reshape: name ?? null, shape: f.outline.id }] },
};
export const FIRST = ["move", "remove", "copy", "paste"];
export const GROUPS = {
  group_place: ["swap", "reshape"],
  group_look: ["like", "swap_looks", "look_of"],
  group_text: ["restyle", "replace", "background", "retouch"],
};

export const label = (tool) => t(TOOLS[tool].label ?? tool);

// The entries of an edit that is dragged; what stays as it is says nothing.
function placedEntries(tool, name, to, perspective) {
  const shift = {};
  if (to.dx) shift.dx = to.dx;
  if (to.dy) shift.dy = to.dy;
  if (to.dy && !perspective) shift.perspective = "off";
  const target = name ?? null;
  if (tool === "copy") return [{ copy: name ?? "object", ...shift, ...(to.scale !== 1 ? { scale: to.scale } : {}) }];
  const found = [];
  if (to.dx || to.dy) found.push({ move: target, ...shift });
  if (to.flip !== "none") found.push({ flip: target, direction: to.flip });
  if (to.scale !== 1) found.push({ resize: target, scale: to.scale });
  if (to.angle) found.push({ rotate: target, angle: to.angle });
  return found;
}

// What an edit lacks before it can be applied: the key of a text, or null.
export function lacks(tool, { thing, to, fields, selection }) {
  const kind = TOOLS[tool];
  if (tool === "paste") return thing?.foreign ? null : "need_photo";
  if (kind.thing && !thing) return "need_thing";
  if (kind.named && !selection.word) return "need_name";
  if (tool === "move" && !placedEntries(tool, null, to, true).length) return "need_move";
  if (tool === "copy" && !to.dx && !to.dy) return "need_move";
  if (kind.fields.includes("text") && !fields.text) return "need_text";
  if (kind.fields.includes("with") && !fields.with) return "need_word";
  if (kind.fields.includes("photo") && !fields.photo) return "need_photo";
  if (kind.fields.includes("outline") && !fields.outline) return "need_photo";
  if (tool === "like" && !fields.photo && !fields.object) return "need_word";
  if (tool === "like" && !selection.word && !fields.object) return "need_word";
  if (kind.named && fields.with === selection.word) return "need_two";
  return null;
}

export function entries(tool, { thing, to, fields, selection }) {
  const name = selection.word || undefined;
  if (tool === "paste") {
    const keep = (value) => Number(Math.min(Math.max(value, 0), 1).toFixed(4));
    const [x, y] = [keep(thing.centroid[0] + to.dx), keep(thing.centroid[1] + to.dy)];
    const at = thing.from.points.map((point) => point.map((value) => Number(value.toFixed(4))).join(",")).join(" ");
    const scale = to.scale === 1 ? {} : { scale: to.scale };
    return [{ paste: thing.from.word || "object", from: thing.from.photo, x, y, ...scale, ...(at ? { from_point: at } : {}) }];
  }
  return TOOLS[tool].places ? placedEntries(tool, name, to, fields.perspective) : TOOLS[tool].entries(name, fields);
}

const input = (name, type, more = "") => `<input class="re-input" name="${name}" type="${type}" ${more}>`;
const NUMBERS = {
  dx: { unit: "percent_width", low: -100, high: 100, step: 0.1 },
  dy: { unit: "percent_height", low: -100, high: 100, step: 0.1 },
  scale: { unit: "percent", low: 10, high: 1000, step: 1 },
  angle: { unit: "degrees", low: -180, high: 180, step: 1 },
};

// The form of an edit, as elements; no text in it comes from a user.
export function form(tool) {
  const parts = [];
  const numbers = TOOLS[tool].fields.filter((name) => name in NUMBERS);
  if (numbers.length) parts.push(`<div class="re-pair">${numbers.map(number).join("")}</div>`);
  for (const name of TOOLS[tool].fields) if (!(name in NUMBERS)) parts.push(field(name, tool));
  const all = parts.join("");
  return numbers.length ? `<details class="re-exact"><summary>${t("exact")}</summary>${all}</details>` : all;
}

function number(name) {
  const { unit, low, high, step } = NUMBERS[name];
  const more = `min="${low}" max="${high}" step="any" data-step="${step}" inputmode="decimal"`;
  return `<label class="re-field"><span>${t(name)} (${t(unit)})</span>${input(name, "number", more)}</label>`;
}

function field(name, tool) {
  if (name === "flip") {
    const choices = ["none", "horizontal", "vertical"].map((one) => `<option value="${one}">${t(`flip_${one}`)}</option>`);
    return `<label class="re-field"><span>${t("flip")}</span><select class="re-input" name="flip">${choices.join("")}</select></label>`;
  }
  if (name === "perspective") {
    return `<label class="re-check"><input type="checkbox" name="perspective"><span>${t("perspective")}</span></label>`;
  }
  if (name === "text") {
    const hint = t(`text_hint_${tool}`);
    return `<label class="re-field"><span>${t(`text_${tool}`)}</span>${input("text", "text", `placeholder="${hint}" maxlength="300"`)}</label>`;
  }
  if (name === "photo" || name === "photo_optional" || name === "outline") {
    const text = { photo: "other_photo", photo_optional: "other_photo_optional", outline: "outline_file" }[name];
    const key = name === "outline" ? "outline" : "photo";
    return `<label class="re-field"><span>${t(text)}</span>${input(key, "file", 'accept="image/*,.heic,.tif,.tiff"')}<em data-brought="${key}"></em></label>`;
  }
  const hint = name === "with" ? `placeholder="${t("with_hint")}"` : "";
  return `<label class="re-field"><span>${t(name)}</span>${input(name, "text", `${hint} maxlength="200"`)}</label>`;
}

export function settingsForm() {
  const text = (name, more = "", type = "text") => `<label class="re-field"><span>${t(name)}</span>${input(name, type, more)}</label>`;
  const check = (name, on) => `<label class="re-check"><input type="checkbox" name="${name}" ${on ? "checked" : ""}><span>${t(name)}</span></label>`;
  return [
    text("prompt", `placeholder="${t("prompt_hint")}" maxlength="500"`),
    text("strength", `min="0" max="0.7" step="0.05" placeholder="${t("strength_own")}"`, "number"),
    text("seed", 'min="0" step="1" placeholder="0"', "number"),
    check("shadow", true), check("reflection", false), check("allow_crop", false),
  ].join("");
}

// What the settings' form says, as a request has it; what is left as it is says nothing.
export function settingsOf(form) {
  const said = {};
  const data = new FormData(form);
  if (data.get("prompt")?.trim()) said.prompt = data.get("prompt").trim();
  if (data.get("strength")) said.strength = Number(data.get("strength"));
  if (Number(data.get("seed"))) said.seed = Number(data.get("seed"));
  if (data.get("allow_crop")) said.allow_crop = true;
  const knobs = {};
  if (!data.get("shadow")) knobs.shadow = false;
  if (data.get("reflection")) knobs.reflection = true;
  return Object.keys(knobs).length ? { ...said, settings: knobs } : said;
}
