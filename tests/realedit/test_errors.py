"""The one family of errors: a line for the user, and figures beside it."""

from __future__ import annotations

import pickle

from realedit.errors import ObjectNotFoundError, RealEditError


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
