"""The one family of errors: a line for the user, and figures beside it."""

from __future__ import annotations

import copy
import pickle

from realedit.errors import ObjectNotFoundError, RealEditError, Sentence, key_of


def test_the_figures_are_beside_the_line_and_not_in_it() -> None:
    error = ObjectNotFoundError(
        "no 'mug' found in the photo", "use another word", detail="heat 0.2, needs 0.3"
    )
    assert str(error) == "no 'mug' found in the photo; use another word"
    assert error.detail == "heat 0.2, needs 0.3"
    assert RealEditError("message").detail == ""


def test_an_error_comes_whole_out_of_another_process() -> None:
    error = ObjectNotFoundError("message", "hint", detail="figures")
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.hint, again.detail, again.exit_code) == ("message", "hint", "figures", 4)


def test_a_sentence_is_its_text_and_says_which_one_it_is() -> None:
    said = Sentence("the mug would leave the frame by 3 %", "leaves_frame")
    assert said == "the mug would leave the frame by 3 %"
    error = RealEditError(said)
    for again in (said, copy.copy(said), pickle.loads(pickle.dumps(error)).message):
        assert (again, key_of(again)) == (said, "leaves_frame")
    assert key_of(f"{said}!") == key_of("a plain text") == ""
