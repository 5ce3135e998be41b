// What is done with the page: buttons, fields, dropped and pasted files.
import { t } from "./texts.js";

export function listen(app) {
  const { root, one, panel, choosing } = app;
  const does = {
    open: () => one("file").click(), undo: () => app.history.go(-1), redo: () => app.history.go(1),
    compare: () => app.picking.active || app.compare(app.stage.compare === null), apply: () => app.apply(), leave: () => panel.leave(),
    cancel: () => app.cancel(), copy: () => copy(app), forget: () => app.history.forget(),
  };
  root.addEventListener("click", (event) => {
    const { do: doing, tool, click } = event.target.closest("button")?.dataset ?? {};
    if (doing) does[doing]?.();
    if (click) choosing.setClicks(click);
    if (!tool) return;
    app.compare(false);
    panel.choose(tool);
    if (tool === "paste" && panel.lack && !app.working) app.picking.ask();
  });
  one("more").addEventListener("change", (event) => event.target.value && panel.choose(event.target.value));
  one("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    app.bring(file, true);
  });
  for (const name of ["fields", "settings"]) one(name).addEventListener("submit", (event) => event.preventDefault());
  one("fields").addEventListener("input", () => panel.typed());
  one("settings").addEventListener("input", () => {
    app.stage.tool.casts = panel.castsShadow;
    panel.ready();
    app.stage.draw();
  });
  one("slide").addEventListener("input", (event) => app.compareAt(event.target.value / 1000));
  one("find").addEventListener("submit", (event) => {
    event.preventDefault();
    choosing.byName(new FormData(event.target).get("word").trim());
  });
  listenToFiles(app);
}

function listenToFiles(app) {
  const drop = app.one("drop");
  const files = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => { if (files(event)) { event.preventDefault(); drop.hidden = false; } });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
  addEventListener("drop", (event) => {
    drop.hidden = true;
    if (!files(event)) return;
    event.preventDefault();
    app.bring(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) app.bring(file);
  });
}

async function copy(app) {
  const command = app.one("command");
  try {
    await navigator.clipboard.writeText(command.textContent);
  } catch { // no permission, or no secure page: it is selected, for the browser's own copy
    getSelection().selectAllChildren(command);
    document.execCommand("copy");
  }
  app.one("copied").textContent = t("copied");
  app.tell.say(t("copied"));
}
