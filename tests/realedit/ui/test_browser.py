"""The page in a real browser, on the real embedded model."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.cli.main import main

pytest.importorskip("gradio", reason="the extra ui is not here")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not here")
pytest.importorskip("uvicorn", reason="the extra ui is not here")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[3]
AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
PHOTOS = ROOT / "examples" / "photos"
SOON = 60_000
"""Milliseconds."""
FLOWER = (0.45, 0.52)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def url(pipeline: RealEditPipeline) -> Iterator[str]:
    """A server, on a free port."""
    from realedit.ui.limits import Limits
    from realedit.ui.server import Address, Service, in_background

    service = Service(pipeline, Limits(file_bytes=5 * 2**20))
    service.editor.warm_up()
    with in_background(service, Address.of("127.0.0.1", 0)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """Opens the page as another visitor each time; nothing foreign is fetched, and nothing is refused."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def told(message: Any) -> None:
        # a status is the answer to what a test does wrong on purpose
        if message.type == "error" and "status of 4" not in message.text:
            wrong.append(message.text)

    def open_page(**options: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 760}, "locale": "en-US", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", told)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: foreign(request.url))
        page.goto(url)
        page.wait_for_selector('[data-ready="yes"]', timeout=SOON)
        return page

    def foreign(address: str) -> None:
        if not address.startswith((url, "blob:", "data:")):
            wrong.append(f"fetches {address}")

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def dahlia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, small, with metadata."""
    file = tmp_path_factory.mktemp("photos") / "dahlia.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a dahlia"
    with Image.open(PHOTOS / "dahlia.jpg") as image:
        image.resize((384, 256), Image.Resampling.LANCZOS).save(file, quality=95, exif=exif)
    return file


def bring(page: Any, photo: Path) -> None:
    page.set_input_files("[data-file]", str(photo))
    page.wait_for_selector('.re[data-state="photo"]', timeout=SOON)
    page.wait_for_function("document.querySelector('[data-tip]').textContent.includes('Click')", timeout=SOON)


def at(page: Any, place: tuple[float, float]) -> tuple[float, float]:
    box = page.locator("[data-canvas]").bounding_box()
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def choose(page: Any, place: tuple[float, float] = FLOWER) -> None:
    page.mouse.click(*at(page, place))
    found = "!document.querySelector('[data-selected]').textContent.startsWith('Looking')"
    page.wait_for_function(f"realedit.stage.thing?.sprite && !realedit.stage.locked && {found}", timeout=SOON)


def drag(page: Any, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    page.mouse.move(*at(page, start))
    page.mouse.down()
    for number in range(1, steps + 1):
        share = number / steps
        page.mouse.move(
            *at(page, (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
        )
    page.mouse.up()


def apply(page: Any, edits: int = 1) -> None:
    page.click('[data-do="apply"]')
    done(page, edits)


def done(page: Any, edits: int) -> None:
    idle = "!realedit.working && !realedit.loading && !realedit.stage.locked"
    page.wait_for_function(f"realedit.history.at === {edits} && {idle}", timeout=SOON)


def test_a_thing_is_pointed_at_dragged_and_the_download_is_the_commands_own_bytes(
    visit: Callable[..., Any], dahlia: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit()
    bring(page, dahlia)
    took: list[float] = []
    for place in (FLOWER, (0.5, 0.45), (0.4, 0.6)):
        page.mouse.move(*at(page, (0.02, 0.03)))
        page.wait_for_timeout(300)
        began = time.perf_counter()
        page.mouse.move(*at(page, place))
        page.wait_for_function("realedit.stage.hover?.length > 0 && !realedit.pointing.wanted", timeout=SOON)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.5, "the least: other tests run beside this one"
    choose(page)
    drag(page, FLOWER, (0.6, 0.5))
    assert page.evaluate("realedit.stage.to.dx") == pytest.approx(0.15, abs=0.01)
    apply(page)
    page.click('[data-do="compare"]')
    assert page.is_visible("[data-slider]")
    drag(page, (0.5, 0.5), (0.2, 0.5))
    assert page.evaluate("realedit.stage.compare") == pytest.approx(0.2, abs=0.02)
    with page.expect_download() as waiting:
        page.click("[data-download]")
    assert waiting.value.suggested_filename == "dahlia-edited.jpg"
    page.click("[data-recipe-card] summary")
    page.click('[data-do="copy"]')
    page.wait_for_selector("[data-copied]:not(:empty)")
    command = shlex.split(page.text_content("[data-command]"))
    assert command[:2] == ["realedit", "dahlia.jpg"]
    shutil.copy(dahlia, tmp_path / "dahlia.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    assert main([*command[1:], "-o", "own.jpg"]) == 0
    own = (tmp_path / "own.jpg").read_bytes()
    assert Path(waiting.value.path()).read_bytes() == own
    with Image.open(tmp_path / "own.jpg") as edited:
        assert edited.getexif()[0x010E] == "a dahlia"
        assert edited.size == (384, 256)


def test_further_clicks_add_places_and_take_some_off(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    choose(page)
    alone = page.evaluate("realedit.stage.thing.box")
    page.click('[data-click="add"]')
    choose(page, (0.5, 0.95))
    both = page.evaluate("realedit.stage.thing.box")
    assert both[3] > alone[3], "the flower below is chosen, too"
    page.click('[data-click="less"]')
    choose(page, (0.48, 0.97))
    selected = page.evaluate("realedit.choosing.selection")
    assert np.allclose(selected["points"], [FLOWER, (0.5, 0.95)], atol=0.003)
    assert np.allclose(selected["beside"], [(0.48, 0.97)], atol=0.003)


def test_what_is_dragged_follows_at_twenty_frames_a_second(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    choose(page)
    for kind, ahead in (("scale", (40, 40)), ("turn", (60, 30))):
        handle = page.evaluate(
            """async (kind) => {
              const { handlesOf } = await import(new URL('ui/geometry.js', document.baseURI));
              const { thing, to, width, height } = realedit.stage;
              return handlesOf(thing, to, width, height, true).filter((one) => one.kind === kind).at(0).at;
            }""",
            kind,
        )
        box = page.locator("[data-canvas]").bounding_box()
        start = (box["x"] + handle[0], box["y"] + handle[1])
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] + ahead[0], start[1] + ahead[1], steps=4)
        page.mouse.up()
    scale, angle = page.evaluate("[realedit.stage.to.scale, realedit.stage.to.angle]")
    assert 0.1 <= scale < 0.95 or 1.05 < scale < 3, "a corner scales"
    assert 5 < angle < 90, "the round handle turns"
    page.click('[data-do="leave"]')
    assert page.evaluate("realedit.stage.to.scale") == 1, "all of it is put back"
    page.mouse.move(*at(page, FLOWER))
    page.mouse.down()
    # the pointer's events come from the page itself: a test's own come no faster than it is told of each
    follow = """([x, y]) => new Promise((resolve) => {
      const { canvas, frames } = realedit.stage, began = performance.now();
      let count = 0;
      const step = () => {
        const place = { clientX: x + 2 * (count % 40), clientY: y, bubbles: true, pointerId: 1 };
        canvas.dispatchEvent(new PointerEvent('pointermove', place));
        if (++count < 40) requestAnimationFrame(step);
        else resolve((realedit.stage.frames - frames) / (performance.now() - began) * 1000);
      };
      requestAnimationFrame(step);
    })"""
    best = max(page.evaluate(follow, list(at(page, FLOWER))) for _ in range(3))
    page.mouse.up()
    assert page.evaluate("realedit.stage.to.dx") > 0
    assert best >= 20


def test_edits_are_undone_redone_changed_and_left_out(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    choose(page)
    page.click('[data-tool="remove"]')
    apply(page)
    removed = page.evaluate("realedit.photo")
    assert page.locator("[data-history] li").count() == 2
    page.click('[data-do="undo"]')
    done(page, 0)
    assert page.evaluate("realedit.photo === realedit.history.original.id")
    assert page.is_disabled('[data-do="undo"]')
    page.click('[data-do="redo"]')
    done(page, 1)
    assert page.evaluate("realedit.photo") == removed
    page.locator("[data-history]").get_by_text("Change").click()
    page.wait_for_function("realedit.stage.thing?.sprite && !realedit.stage.locked", timeout=SOON)
    assert page.text_content('[data-do="apply"]') == "Apply the change"
    page.click('[data-tool="move"]')
    page.focus("[data-canvas]")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.click('[data-do="apply"]')
    page.wait_for_function("realedit.history.steps[0].tool === 'move' && !realedit.working", timeout=SOON)
    assert page.evaluate("realedit.history.steps[0].request.edits") == [{"move": None, "dx": 0.02}]
    page.locator("[data-history]").get_by_text("Delete").click()
    done(page, 0)
    assert page.evaluate("realedit.history.steps.length") == 0


def test_an_edit_is_cancelled_and_nothing_is_changed(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    choose(page)
    drag(page, FLOWER, (0.55, 0.5))
    page.click('[data-do="apply"]')
    page.wait_for_function("realedit.working", timeout=SOON)
    page.click('[data-do="cancel"]')
    page.wait_for_selector("[data-progress]", state="hidden", timeout=SOON)
    assert page.evaluate("realedit.history.at") == 0
    assert page.text_content("[data-say]") == "Cancelled. Nothing was changed."
    assert page.evaluate("realedit.stage.to.dx") > 0, "what was dragged is where it was"


def test_a_reload_in_the_middle_loses_nothing(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    choose(page)
    drag(page, FLOWER, (0.6, 0.52))
    apply(page)
    choose(page, (0.6, 0.52))
    page.click('[data-tool="remove"]')
    page.click('[data-do="apply"]')
    page.wait_for_function("realedit.working", timeout=SOON)
    page.reload()
    page.wait_for_function("window.realedit?.history?.at === 2 && !realedit.working", timeout=SOON)
    assert page.locator("[data-history] li").count() == 3
    assert page.get_attribute("[data-download]", "href").endswith("/file")


def test_two_visitors_do_not_see_each_others_photos(visit: Callable[..., Any], dahlia: Path) -> None:
    one, other = visit(), visit()
    bring(one, dahlia)
    bring(other, dahlia)
    photo = one.evaluate("realedit.photo")
    assert photo != other.evaluate("realedit.photo")
    status = "fetch('api/photos/' + {0} + '/file').then((answer) => answer.status)"
    assert one.evaluate(status.replace("{0}", repr(photo))) == 200
    assert other.evaluate(status.replace("{0}", repr(photo))) == 404
    choose(one)
    choose(other)
    for page in (one, other):
        page.click('[data-tool="remove"]')
        page.click('[data-do="apply"]')
    for page in (one, other):
        done(page, 1)


def test_a_wrong_file_is_told_and_the_next_one_is_taken(
    visit: Callable[..., Any], dahlia: Path, tmp_path: Path
) -> None:
    page = visit()
    wrong = tmp_path / "notes.jpg"
    wrong.write_text("no photo")
    page.set_input_files("[data-file]", str(wrong))
    page.wait_for_selector(".re-empty-note.re-error", timeout=SOON)
    assert "not a photo that can be opened" in page.text_content(".re-empty-note")
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(6 * 2**20))
    page.set_input_files("[data-file]", str(large))
    page.wait_for_function("document.querySelector('.re-empty-note').textContent.includes('at most 5 MB')")
    bring(page, dahlia)


def test_with_the_keyboard_alone(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    page.focus("[data-canvas]")
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("realedit.stage.thing?.sprite && !realedit.stage.locked", timeout=SOON)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("]")
    page.keyboard.press("Enter")
    done(page, 1)
    edits = page.evaluate("realedit.history.steps[0].request.edits")
    assert edits == [
        {"move": None, "dx": 0.05, "dy": -0.005, "perspective": "off"},
        {"rotate": None, "angle": 2},
    ]
    reached: list[str] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.dataset?.do ?? document.activeElement.name ?? ''")
        )
    assert {"open", "undo", "compare", "apply", "word"} <= {*reached, "apply"}


def test_a_thing_of_another_photo_is_clicked_and_put_into_this_one(
    visit: Callable[..., Any], dahlia: Path, tmp_path: Path
) -> None:
    page = visit()
    with Image.open(PHOTOS / "mug.jpg") as image:
        image.resize((384, 256)).save(tmp_path / "table.jpg")
    bring(page, tmp_path / "table.jpg")
    with page.expect_file_chooser() as chooser:
        page.click('[data-tool="paste"]')
    chooser.value.set_files(str(dahlia))
    page.wait_for_function(
        "realedit.picking?.photo && realedit.photo === realedit.picking.photo.id", timeout=SOON
    )
    choose(page)
    page.click('[data-do="apply"]')
    page.wait_for_function("realedit.stage.thing?.foreign", timeout=SOON)
    page.evaluate("realedit.stage.to.scale = 0.4")
    drag(page, (0.5, 0.5), (0.4, 0.45))
    apply(page)
    (edit,) = page.evaluate("realedit.history.steps[0].request.edits")
    assert edit["from_point"] == f"{FLOWER[0]},{FLOWER[1]}"
    assert edit["x"] == pytest.approx(0.4, abs=0.01)
    assert "--from dahlia.jpg" in page.text_content("[data-command]")
    page.locator("[data-history]").get_by_text("Change").click()
    page.wait_for_function("realedit.stage.thing?.foreign && !realedit.stage.locked", timeout=SOON)
    assert page.evaluate("realedit.panel.request().edits") == [edit], "it is taken up where it was put"
    page.click('[data-do="leave"]')
    done(page, 1)


def test_a_word_finds_it_and_the_browsers_language_is_spoken(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit(locale="de-DE")
    assert page.text_content(".re-empty-title") == "Ein Foto öffnen"
    assert page.evaluate("document.documentElement.lang") == "de"
    page.set_input_files("[data-file]", str(dahlia))
    page.wait_for_selector('.re[data-state="photo"]', timeout=SOON)
    page.fill("#re-word", "bicycle")
    page.press("#re-word", "Enter")
    page.wait_for_selector("[data-error]:not(:empty)", timeout=SOON)
    assert page.text_content("[data-error]").startswith("„bicycle“ ist im Foto nicht zu finden.")
    page.fill("#re-word", "flower")
    page.press("#re-word", "Enter")
    page.wait_for_function("realedit.stage.thing?.sprite && !realedit.stage.locked", timeout=SOON)
    assert "„flower“ ist gewählt" in page.text_content("[data-selected]")
    drag(page, FLOWER, (0.8, 0.5))
    page.click('[data-do="apply"]')
    page.wait_for_selector("[data-error]:not(:empty)", timeout=SOON)
    assert page.text_content("[data-error]").startswith("Ein Teil läge außerhalb des Fotos.")
    missing = (
        "[...document.querySelectorAll('.re *')].filter((one) => /^[a-z]+_[a-z_]+$/.test(one.textContent))"
    )
    assert page.evaluate(f"{missing}.map((one) => one.textContent)") == []


def test_every_edit_can_be_asked_for(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit()
    bring(page, dahlia)
    page.fill("#re-word", "flower")
    page.press("#re-word", "Enter")
    page.wait_for_function("realedit.stage.thing?.sprite && !realedit.stage.locked", timeout=SOON)

    def asked(tool: str, **fields: str) -> Any:
        """What is asked for once a form is filled; it is an edit that the server takes."""
        if page.locator(f'[data-tool="{tool}"]').count():
            page.click(f'[data-tool="{tool}"]')
        else:
            page.select_option("[data-more]", tool)
        for details in page.locator("[data-fields] details").all():
            details.evaluate("(one) => { one.open = true; }")
        for name, value in fields.items():
            field = page.locator(f'[data-fields] [name="{name}"]')
            if value.endswith(".jpg"):
                field.set_input_files(value)
                page.wait_for_function(f"realedit.panel.fields.{name}?.id", timeout=SOON)
            elif name == "flip":
                field.select_option(value)
            else:
                field.fill(value)
        assert page.is_enabled('[data-do="apply"]'), (tool, page.text_content("[data-lack]"))
        request = EditRequest.model_validate(page.evaluate("realedit.panel.request()"))
        request.planned()
        return request.edits

    from realedit.ui.requests import EditRequest

    other = str(dahlia)
    moved = asked("move", dx="10", dy="-5", scale="120", angle="15", flip="horizontal")
    assert moved == [
        {"move": "flower", "dx": 0.1, "dy": -0.05, "perspective": "off"},
        {"flip": "flower", "direction": "horizontal"},
        {"resize": "flower", "scale": 1.2},
        {"rotate": "flower", "angle": 15},
    ]
    copied = {"copy": "flower", "dx": 0.1, "dy": -0.05, "perspective": "off", "scale": 1.2}
    assert asked("copy") == [copied]
    assert asked("remove") == [{"remove": "flower"}]
    assert asked("swap", **{"with": "leaf"}) == [{"swap": "flower", "with": "leaf"}]
    assert asked("swap_looks", **{"with": "leaf"}) == [{"swap_looks": "flower", "with": "leaf"}]
    assert asked("restyle", text="a blue flower") == [{"restyle": "flower", "as": "a blue flower"}]
    assert asked("replace", text="a bowl") == [{"replace": "flower", "with": "a bowl"}]
    assert asked("background", text="a lawn") == [{"background": "a lawn", "keep": "flower"}]
    assert asked("retouch", text="an apple") == [{"retouch": "an apple"}]
    (like,) = asked("like", photo=other, object="flower")
    assert set(like) == {"restyle", "like", "object"}
    assert set(asked("look_of", photo=other)[0]) == {"look_of"}
    assert set(asked("reshape", outline=other)[0]) == {"reshape", "shape"}


def test_a_second_photo_is_asked_about_and_a_dropped_or_pasted_one_is_taken(
    visit: Callable[..., Any], dahlia: Path
) -> None:
    page = visit()
    hand_over = """([kind, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], 'handed.jpg', { type: 'image/jpeg' }));
      dispatchEvent(kind === 'drop' ? new DragEvent('drop', { dataTransfer: data, cancelable: true })
        : new ClipboardEvent('paste', { clipboardData: data }));
    }"""
    content = list(dahlia.read_bytes())
    page.evaluate(hand_over, ["drop", content])
    page.wait_for_selector('.re[data-state="photo"]', timeout=SOON)
    first = page.evaluate("realedit.photo")
    page.evaluate(hand_over, ["paste", content])
    page.wait_for_selector("[data-meant][open]", timeout=SOON)
    page.keyboard.press("Escape")
    assert page.evaluate("realedit.photo") == first
    page.evaluate(hand_over, ["drop", content])
    page.click('[data-meant] [value="part"]')
    page.wait_for_selector('.re[data-state="picking"]', timeout=SOON)
    page.click('[data-do="leave"]')
    page.wait_for_function(f"realedit.photo === '{first}' && !realedit.loading", timeout=SOON)
    page.evaluate(hand_over, ["drop", content])
    page.click('[data-meant] [value="whole"]')
    page.wait_for_function(f"realedit.photo !== '{first}' && !realedit.loading", timeout=SOON)
    assert page.text_content("[data-name]") == "handed.jpg"


def test_a_phones_screen_shows_all_of_it(visit: Callable[..., Any], dahlia: Path) -> None:
    page = visit(viewport={"width": 360, "height": 720}, has_touch=True, is_mobile=True)
    bring(page, dahlia)
    page.touchscreen.tap(*at(page, FLOWER))
    page.wait_for_function("realedit.stage.thing?.sprite", timeout=SOON)
    assert page.evaluate("document.querySelector('.re').scrollWidth") <= 360
    box = page.locator("[data-canvas]").bounding_box()
    assert box["width"] >= 340
    for name in ("open", "undo", "compare"):
        button = page.locator(f'[data-do="{name}"]').first.bounding_box()
        assert button["height"] >= 40
        assert button["x"] + button["width"] <= 360


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here: npm install axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding(visit: Callable[..., Any], dahlia: Path, scheme: str) -> None:
    page = visit(color_scheme=scheme, reduced_motion="reduce")

    def findings() -> list[str]:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    assert findings() == []
    bring(page, dahlia)
    choose(page)
    for details in page.locator(".re details").all():
        details.evaluate("(one) => { one.open = true; }")
    assert findings() == []
    page.click('[data-tool="remove"]')
    apply(page)
    page.click('[data-do="compare"]')
    assert findings() == []
