"""Compares two prompts word by word; [brackets] in them mark the differences that are meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realedit.bench.datasets.phrases import positions, words_of

_ARTICLES = frozenset({"a", "an", "the"})
_GRAMMAR = _ARTICLES | {"is", "are"}
"""Words that change with the words beside them."""


@dataclass(frozen=True)
class Change:
    """A place where two prompts differ: positions in the words of each, either of which may be empty.

    Args:
        old: what goes.
        new: what comes.
    """

    old: range
    new: range


@dataclass(frozen=True)
class PromptPair:
    """Two prompts of one picture, before and after an edit.

    Args:
        before: the words of the one.
        after: the words of the other.
        changes: in what they differ, in order; articles and punctuation alone do not count.
        kept: position in ``after`` of each position in ``before`` whose word stays.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    changes: tuple[Change, ...]
    kept: Mapping[int, int]

    @classmethod
    def of(cls, original: str, editing: str) -> PromptPair:
        """Compares two prompts.

        Where brackets mark some of the differences, the others (grammar, mostly) are left out, and
        differences inside one pair of brackets are one. Brackets that mark nothing that differs, empty ones
        and ones that are not closed say nothing.
        """
        (before, old_marks), (after, new_marks) = _read(original), _read(editing)
        matcher = difflib.SequenceMatcher(
            None, [word.lower() for word in before], [word.lower() for word in after], autojunk=False
        )
        changes: list[Change] = []
        kept: dict[int, int] = {}
        for tag, i0, i1, j0, j1 in matcher.get_opcodes():
            if tag == "equal":
                kept |= zip(range(i0, i1), range(j0, j1), strict=True)
            else:
                changes.append(_without_articles(before, after, Change(range(i0, i1), range(j0, j1))))
        changes = [change for change in changes if _matters(before, change.old, after, change.new)]
        groups = [_marked(old_marks, change.old) | _marked(new_marks, change.new, 1) for change in changes]
        if any(groups):
            marked = [(change, group) for change, group in zip(changes, groups, strict=True) if group]
            changes = _joined(marked)
        return cls(before, after, tuple(changes), kept)


def plain(prompt: str) -> str:
    """Removes a prompt's brackets."""
    return prompt.replace("[", "").replace("]", "")


def _read(prompt: str) -> tuple[tuple[str, ...], list[int]]:
    """Returns a prompt's words, and for each the number of the pair of brackets around it, or 0."""
    marks: list[int] = []
    opened: int | None = None
    pairs = 0
    for character in prompt:
        if character == "[":
            opened = len(marks)
        elif character == "]":
            if opened is not None:
                pairs += 1
                marks[opened:] = [pairs] * (len(marks) - opened)
            opened = None
        else:
            marks.append(0)
    bare = plain(prompt)
    return words_of(bare), [max(marks[start:stop]) for start, stop in positions(bare)]


def _without_articles(before: Sequence[str], after: Sequence[str], change: Change) -> Change:
    """Drops the articles that both sides of a change begin with: "an orange" to "a black"."""
    old, new = change.old, change.new
    while old and new and before[old.start].lower() in _ARTICLES and after[new.start].lower() in _ARTICLES:
        old, new = old[1:], new[1:]
    return Change(old, new)


def _matters(before: Sequence[str], old: range, after: Sequence[str], new: range) -> bool:
    changed = [before[at] for at in old] + [after[at] for at in new]
    return any(word[:1].isalnum() and word.lower() not in _GRAMMAR for word in changed)


def _marked(marks: Sequence[int], words: range, side: int = 0) -> set[tuple[int, int]]:
    return {(side, marks[at]) for at in words if marks[at]}


def _joined(marked: Sequence[tuple[Change, set[tuple[int, int]]]]) -> list[Change]:
    """Joins neighbouring changes that share a pair of brackets, with what stands between them."""
    joined: list[tuple[Change, set[tuple[int, int]]]] = []
    for change, group in marked:
        if joined and joined[-1][1] & group:
            last, groups = joined.pop()
            old, new = range(last.old.start, change.old.stop), range(last.new.start, change.new.stop)
            joined.append((Change(old, new), groups | group))
        else:
            joined.append((change, group))
    return [change for change, _ in joined]
