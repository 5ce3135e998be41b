"""The page for everybody, in a real browser: keys, languages, phones, screen readers, wrong files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from page import FLOWER, MARKS, SOON, apply, at, bring, choose, done, drag

pytest.importorskip("gradio", reason="the extra ui is not here")
pytest.importorskip("playwright.sync_api", reason="Playwright is not here")

AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"))
pytestmark = MARKS


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
