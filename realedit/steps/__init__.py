"""An edit's steps: each kind finds its objects, changes them, and hands the photo on."""

from __future__ import annotations

from realedit.edits import (
    Background,
    Like,
    LookOf,
    Paste,
    Plan,
    Remove,
    Replace,
    Reshape,
    Restyle,
    Retouch,
    Step,
    Swap,
    SwapLooks,
)
from realedit.steps import by_text, geometric, looks
from realedit.steps.work import Outcome, Work

__all__ = ["Outcome", "Work", "run"]


def run(work: Work, step: Step) -> Outcome:
    """Do one step."""
    match step:
        case Plan():
            return geometric.transform(work, step)
        case Remove():
            return geometric.remove(work, step)
        case Swap():
            return geometric.swap(work, step)
        case Reshape():
            return geometric.reshape(work, step)
        case Paste():
            return geometric.paste(work, step)
        case Restyle():
            return by_text.restyle(work, step)
        case Replace():
            return by_text.replace_object(work, step)
        case Background():
            return by_text.background(work, step)
        case Retouch():
            return by_text.retouch(work, step)
        case Like():
            return looks.like(work, step)
        case SwapLooks():
            return looks.swap_looks(work, step)
        case LookOf():
            return looks.look_of(work, step)
