// The keyboard: on the photo, and for the whole page.

const STEP = 0.005; // share of the photo's sides that an arrow key moves by
const LARGE_STEP = 0.05; // the same with Shift
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const round = (value, digits) => Number(value.toFixed(digits));
const within = (value, low, high) => Math.min(Math.max(value, low), high);

export function listenToKeys(app) {
  app.one("canvas").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || !app.stage.photo || app.stage.locked) return;
    if (!onPhoto(app, event)) return;
    event.preventDefault();
    app.panel.numbers();
    app.panel.ready();
    app.stage.draw();
  });
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches?.("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    app.history.go(key === "y" || event.shiftKey ? 1 : -1);
  });
}

// Does what a key says; whether it says anything.
function onPhoto(app, event) {
  const { stage } = app;
  const step = event.shiftKey ? LARGE_STEP : STEP;
  const way = WAYS[event.key];
  const carried = stage.thing && stage.tool.places && !stage.adding && !app.picking.active;
  if (stage.compare !== null) {
    if (event.key === "Escape") app.compare(false);
    else if (way) app.compareAt(within(stage.compare + way[0] * step, 0, 1));
    else return false;
  } else if (way && carried) {
    stage.to.dx = round(within(stage.to.dx + way[0] * step, -1, 1), 4);
    stage.to.dy = round(within(stage.to.dy + way[1] * step, -1, 1), 4);
  } else if (way) {
    const [x, y] = stage.pointer ?? [0.5, 0.5];
    stage.pointer = [within(x + way[0] * step, 0, 0.999), within(y + way[1] * step, 0, 0.999)];
    if (!stage.thing || stage.adding) app.pointing.at(stage.pointer);
  } else if ((event.key === "Enter" || event.key === " ") && stage.pointer) {
    app.choosing.click(stage.pointer, { add: false, less: false, on: null });
    if (app.choosing.clicks === "new") stage.pointer = null;
  } else if (event.key === "Enter" && stage.thing) app.apply();
  else if (event.key === "Escape") { stage.pointer = null; app.choosing.letGo(); }
  else if (event.key === "Delete" && stage.thing && !stage.thing.foreign && !app.picking.active) app.panel.choose("remove");
  else return carried && scaledOrTurned(stage, event.key);
  return true;
}

function scaledOrTurned(stage, key) {
  if ("+=".includes(key)) stage.to.scale = round(Math.min(stage.to.scale * 1.05, 10), 3);
  else if (key === "-") stage.to.scale = round(Math.max(stage.to.scale / 1.05, 0.1), 3);
  else if (stage.tool.turns && "[]".includes(key)) stage.to.angle = round(stage.to.angle + (key === "]" ? 2 : -2), 1);
  else return false;
  return true;
}
