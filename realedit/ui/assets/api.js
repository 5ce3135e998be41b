// The server's API, as the page uses it.
import { t } from "./texts.js";

const HEADERS = { "X-Realedit": "1" };

export class Refused extends Error {
  constructor(error, status) {
    super(error.message);
    this.kind = error.kind || "";
    this.key = error.key || "";
    this.status = status;
  }
}

async function call(method, path, body, type) {
  const headers = { ...HEADERS, ...(type ? { "Content-Type": type } : {}) };
  let answer;
  try {
    answer = await fetch(new URL(path, document.baseURI), { method, headers, body, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused({ message: t("lost") }, 0);
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  let told = { message: answer.statusText };
  try {
    told = (await answer.json()).error || told;
  } catch { /* no JSON: the status has to do */ }
  throw new Refused(told, answer.status);
}

export const get = (path) => call("GET", path);
export const post = (path, fields) => call("POST", path, JSON.stringify(fields ?? {}), "application/json");
export const remove = (path) => call("DELETE", path);

export function bring(file, name) {
  const form = new FormData();
  form.append("photo", file, name || file.name || "photo.png");
  return call("POST", "api/photos", form);
}

export const viewOf = (photo, side = 1600) => new URL(`api/photos/${photo}/view?side=${side}`, document.baseURI).href;
export const fileOf = (job, name) => new URL(`api/jobs/${job}/files/${name}`, document.baseURI).href;

// Follows a job until it has ended; `on` has a function for each kind of event that is wanted.
export function follow(job, on = {}) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(new URL(`api/jobs/${job}/events`, document.baseURI));
    const data = (event) => JSON.parse(event.data || "{}");
    for (const name of ["queued", "stage", "found", "cleared"]) {
      source.addEventListener(name, (event) => on[name]?.(data(event)));
    }
    const end = (name, settle) =>
      source.addEventListener(name, (event) => {
        source.close();
        settle(data(event));
      });
    end("done", resolve);
    end("failed", (error) => reject(new Refused(error, 422)));
    end("cancelled", () => reject(Object.assign(new Error("cancelled"), { cancelled: true })));
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      // a page that is left closes it too: then nothing is to be told, or kept, any more
      setTimeout(() => reject(new Refused({ message: t("lost") }, 0)), 1000);
    };
  });
}

export async function picture(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
