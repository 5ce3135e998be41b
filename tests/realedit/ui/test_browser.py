"""Editing in a real browser, on the real embedded model."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from page import FLOWER, MARKS, SOON, apply, at, bring, choose, done, drag
from realedit.cli.main import main

pytest.importorskip("gradio", reason="the extra ui is not here")
pytest.importorskip("playwright.sync_api", reason="Playwright is not here")

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"
pytestmark = MARKS


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
