// The page's words, in the browser's language where there is a file for it.
const LANGUAGES = ["en", "de"]; // one file each in texts/; another language is a file more and its name here
let words = {};
let language = "en";

export async function loadTexts() {
  const wanted = (navigator.languages || [navigator.language]).map((name) => name.slice(0, 2).toLowerCase());
  language = wanted.find((name) => LANGUAGES.includes(name)) || "en";
  const read = async (name) => (await fetch(new URL(`texts/${name}.json`, import.meta.url))).json();
  words = { ...(await read("en")), ...(language === "en" ? {} : await read(language)) };
  document.documentElement.lang = language;
}

export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export const has = (key) => key in words;

// A sentence of the server, an error's or a warning's, in the page's language where its key is known.
export const told = (text, key, values = {}) => (key && has(`said_${key}`) ? t(`said_${key}`, values) : text);

// What is told of an error: by its own key, else by its kind.
export function sentence(error, values = {}) {
  if (!error.kind && !error.key) return error.message; // the page's own
  const kind = has(`kind_${error.kind}`) ? `kind_${error.kind}` : "kind_RealEdit";
  return told(t(kind, { ...values, message: error.message }), error.key, values);
}

export function fill(root) {
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of root.querySelectorAll("[data-hint]")) node.placeholder = t(node.dataset.hint);
}
