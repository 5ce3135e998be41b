// Where an edit puts an object: the same as the command does, in pixels of the canvas.
// A transform is {dx, dy, scale, angle, flip}: shifts in widths and heights, degrees clockwise.

export const STILL = Object.freeze({ dx: 0, dy: 0, scale: 1, angle: 0, flip: "none" });

export const moved = (to) => to.dx !== 0 || to.dy !== 0 || to.scale !== 1 || to.angle !== 0 || to.flip !== "none";

// The object's centre after it was moved, then scaled about its foot (or its centre): [x, y] in pixels.
export function centreOf(thing, to, width, height) {
  const centre = [(thing.centroid[0] + to.dx) * width, (thing.centroid[1] + to.dy) * height];
  if (thing.about === "centre") return centre;
  const foot = [(thing.foot[0] + to.dx) * width, (thing.foot[1] + to.dy) * height];
  return [foot[0] + (centre[0] - foot[0]) * to.scale, foot[1] + (centre[1] - foot[1]) * to.scale];
}

// A function that carries a place of the object, [x, y] in fractions, to pixels.
export function carrier(thing, to, width, height) {
  const [cx, cy] = centreOf(thing, to, width, height);
  const turn = (to.angle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const across = to.scale * (to.flip === "horizontal" ? -1 : 1);
  const down = to.scale * (to.flip === "vertical" ? -1 : 1);
  const [ox, oy] = [thing.centroid[0] * width, thing.centroid[1] * height];
  return ([x, y]) => {
    const [px, py] = [(x * width - ox) * across, (y * height - oy) * down];
    return [cx + px * cos - py * sin, cy + px * sin + py * cos];
  };
}

// The handles of an object: its corners, and the one that turns it, which stays on the canvas.
export function handlesOf(thing, to, width, height, turns) {
  const carry = carrier(thing, to, width, height);
  const [x0, y0, x1, y1] = thing.box;
  const found = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map((corner) => ({ kind: "scale", at: inside(carry(corner)) }));
  if (!turns) return found;
  const middle = carry([(x0 + x1) / 2, y0]);
  const centre = carry([(x0 + x1) / 2, (y0 + y1) / 2]);
  const length = Math.hypot(middle[0] - centre[0], middle[1] - centre[1]) || 1;
  const out = [(middle[0] - centre[0]) / length, (middle[1] - centre[1]) / length];
  found.push({ kind: "turn", at: inside([middle[0] + out[0] * 30, middle[1] + out[1] * 30]), from: middle });
  return found;

  function inside([x, y]) {
    return [Math.min(Math.max(x, 8), width - 8), Math.min(Math.max(y, 8), height - 8)];
  }
}

// Whether a place lies within closed lines, by how often they go around it (even-odd).
export function within(lines, [x, y]) {
  let odd = false;
  for (const line of lines) {
    for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
      const [[ax, ay], [bx, by]] = [line[i], line[j]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}

const SLIVER = 0.02; // share of its side by which a thing may leave the photo, as the command has it

// Whether more than a sliver of an object leaves the photo at a side where it was inside.
export function leavesPhoto(thing, to, width, height) {
  const sides = (places) => {
    const [xs, ys] = [places.map(([x]) => x / width), places.map(([, y]) => y / height)];
    return [Math.min(...xs), Math.min(...ys), 1 - Math.max(...xs), 1 - Math.max(...ys)];
  };
  const places = thing.lines.flat();
  const before = sides(places.map(([x, y]) => [x * width, y * height]));
  const after = sides(places.map(carrier(thing, to, width, height)));
  const size = [1 - after[0] - after[2], 1 - after[1] - after[3]];
  return after.some((room, side) => room < -SLIVER * size[side % 2] && (thing.foreign || before[side] > 0.005));
}
