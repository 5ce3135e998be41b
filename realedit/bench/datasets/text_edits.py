"""Turns what another prompt asks for into realedit's own edits by text.

====================================  ==================================================================
the data set's class                  realedit's edit
====================================  ==================================================================
content, pose, colour, material       ``Restyle`` of the thing that the changed words describe; it keeps
                                      the thing's outline, so that a pose hardly changes
background                            ``Background`` about the thing that the prompt begins with
add object                            ``Retouch`` of the mask's region by the words that are added
style                                 ``Restyle`` of the whole picture, from the one prompt to the other
change object, delete object          ``Replace``, ``Remove``, where the entry does not name the object
random, and any other                 one of the above, by the words that differ
====================================  ==================================================================

Restyling carries the colours of what the model paints to the photo's own pixels, which the model then
settles; a new content, material or style is met in part. No edit changes a whole picture by text (``LookOf``
takes the look of another photo, which these data sets do not have), and a mask of everything is refused as a
slip: for a style, a mask of all but the outermost pixels is given.

A thing is found by its word, as a user's would be. The case's mask is given where no word can tell the place:
for something that is added, and for several things that stay while their background changes. Where the
changes are of several kinds, or describe no thing that can be made out, what the mask shows is restyled from
one prompt to the other. Prompts that do not differ ask for nothing, and realedit refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realedit.bench.datasets.phrases import (
    DETERMINERS,
    SEVERAL,
    find,
    is_content,
    is_doing,
    named,
    phrase_after,
    phrase_before,
    text,
    thing,
)
from realedit.bench.datasets.prompt_pair import Change, PromptPair, plain
from realedit.bench.edit_spec import Shown, TextEdit

ATTRIBUTES = frozenset({"change content", "change pose", "change colour", "change material"})

_PICTURES = frozenset(
    "art artwork cartoon drawing engraving etching illustration image oil painting photo photograph picture "
    "print render rendering shot sketch statue view watercolor watercolour".split()
)
"""What a prompt may say that it shows before it says of what: "a watercolour painting of"."""
_OPENING = 8
"""Words at a prompt's beginning in which it may say what kind of picture it is; in later ones it names
things. Not measured."""
_PLACES = frozenset("against at behind in inside on over under".split())
_ARTICLES = frozenset("a an the some".split())
_DESCRIBING = 3
"""Words between an article and a noun: up to as many realedit exchanges them with the noun, more are kept.
Set to what ``realedit.prompts`` does."""
_APART = 6
"""Words between a thing and what is said of it: up to as many they belong together, more are too far apart.
Not measured."""
_WHOLE = 0.98
"""Share of the picture that a mask covers: at or above it the mask shows nothing in the picture, below it a
region. Not measured."""
_MOST = 0.5
"""Share of the picture that a mask covers: above it the mask shows a background, up to it a thing. Not
measured."""


@dataclass(frozen=True)
class Asked:
    """An entry of a data set.

    Args:
        original: what the photo shows; the changed words may stand in [brackets].
        editing: what the edited photo shows, likewise.
        category: the data set's class of edit, or None.
        blended: the thing's words before and after, "cat dog", or nothing.
        share: share of the picture that the mask covers, in [0, 1]; None without a mask.
    """

    original: str
    editing: str
    category: str | None = None
    blended: str = ""
    share: float | None = None

    @property
    def everything(self) -> bool:
        """Whether the mask covers all of the picture, and so shows nothing in it."""
        return self.share is not None and self.share >= _WHOLE


def text_edits(asked: Asked) -> tuple[TextEdit, ...]:
    """Returns realedit's edits for an entry, none where its prompts do not differ.

    Each of several is shown by its word.
    """
    pair = PromptPair.of(asked.original, asked.editing)
    if not pair.changes:
        return ()
    match asked.category:
        case "change style":
            found = _restyled(asked, "whole")
        case "add object":
            found = _added(pair)
        case "change background":
            found = _background(asked, pair)
        case category if category in ATTRIBUTES:
            found = _attributes(asked, pair)
        case _:
            found = _by_words(asked, pair)
    return found or _restyled(asked, "whole" if asked.everything else "mask")


def blended_words(blended: str) -> tuple[list[str], list[str]]:
    """Returns the words before and after an edit: each half of "cat dog", one word for both."""
    words = blended.split()
    if len(words) == 1:
        return words, words
    half = len(words) // 2
    return (words[:half], words[half:]) if len(words) % 2 == 0 else ([], [])


def _restyled(asked: Asked, shown: Shown) -> tuple[TextEdit, ...]:
    """Restyles a region from one prompt to the other."""
    # the edit exchanges whole words, and a full stop is not one
    word, look = (plain(prompt).strip(" .,;:!?\"'") for prompt in (asked.original, asked.editing))
    return (TextEdit("restyle", word or None, look, shown),) if look else ()


def _added(pair: PromptPair) -> tuple[TextEdit, ...]:
    phrases = [text(pair.after, thing(pair.after, change.new)) for change in pair.changes]
    phrases = [phrase for phrase in phrases if phrase]
    return (TextEdit("retouch", None, " and ".join(phrases), "mask"),) if phrases else ()


def _background(asked: Asked, pair: PromptPair) -> tuple[TextEdit, ...]:
    """Changes the surroundings of the prompt's first thing: shown by its word, or by the mask if several."""
    phrases = []
    for change in pair.changes:
        new = thing(pair.after, change.new)
        if new:
            start = phrase_before(pair.after, new.start).start
            phrases.append(
                text(pair.after, range(start, max(new.stop, phrase_after(pair.after, new.stop).stop)))
            )
    if not phrases:
        return ()
    surroundings = " and ".join(phrases)
    subject = _subject(pair)
    if subject is None:
        return (TextEdit("background", None, surroundings, "rest"),)
    several = any(word.lower() in SEVERAL for word in pair.before[subject.stop : subject.stop + 1])
    shown = "rest" if several and asked.share is not None and not asked.everything else "word"
    return (TextEdit("background", text(pair.before, subject), surroundings, shown),)


def _subject(pair: PromptPair) -> range | None:
    """Returns what the prompt before the edit is about: its first thing, unless that is what changes."""
    found = named(pair.before, range(_opening(pair.before), len(pair.before)))
    changing = {at for change in pair.changes for at in (*change.old, *_following(pair, change))}
    return None if not found or changing & set(found) else found


def _opening(words: Sequence[str]) -> int:
    """Counts the words at the beginning that say what kind of picture it is, "of" included."""
    low = [word.lower() for word in words[:_OPENING]]
    return low.index("of") + 1 if "of" in low and _PICTURES & set(low[: low.index("of")]) else 0


def _attributes(asked: Asked, pair: PromptPair) -> tuple[TextEdit, ...]:
    """Restyles each thing that the changes describe; returns none if one change describes nothing."""
    things: dict[range, list[Change]] = {}
    for change in pair.changes:
        noun = _described(asked, pair, change)
        if not noun:
            return ()
        things.setdefault(noun, []).append(change)
    edits = [_restyle(pair, noun, of_it) for noun, of_it in things.items()]
    return tuple(edit for edit in edits if edit is not None) if None not in edits else ()


def _following(pair: PromptPair, change: Change) -> range:
    """Returns the thing before which a change stands as its adjective; empty where it does not."""
    following = phrase_after(pair.before, change.old.stop)
    if not following or is_doing(pair.before[following.start]):
        return range(0)
    # "a dog sitting still": a participle behind its thing describes what stands before it
    behind = phrase_before(pair.before, change.old.start)
    return range(0) if behind and _does(pair, change) else following


def _does(pair: PromptPair, change: Change) -> bool:
    """Tells whether a change is about what something does."""
    sides = ((pair.before, change.old), (pair.after, change.new))
    return any(side and is_doing(words[side.start]) for words, side in sides)


def _described(asked: Asked, pair: PromptPair, change: Change) -> range | None:
    """Returns the thing that a change describes, in the prompt before the edit."""
    noun = find(pair.before, blended_words(asked.blended)[0], change.old.start)
    following = _following(pair, change)
    if following:
        return noun if noun and set(noun) <= set(following) else following
    return noun or phrase_before(pair.before, change.old.start) or named(pair.before, change.old) or None


def _restyle(pair: PromptPair, noun: range, changes: Sequence[Change]) -> TextEdit | None:
    """Returns the thing's new look; None where what is said of it stands too far away."""
    old = [at for change in changes for at in change.old]
    new = [at for change in changes for at in change.new]
    there = [pair.kept[at] for at in noun if at in pair.kept]
    if not there + new:
        return None
    after = range(min(there + new), max(there + new) + 1)
    if _introduced(pair.before, noun, old):
        # realedit exchanges the words between article and noun, too
        before = range(noun.start, max([*noun, *old]) + 1)
        after = range(phrase_before(pair.after, after.start).start, after.stop)
    else:
        before = range(min([*noun, *old]), max([*noun, *old]) + 1)
    if len(after) > len(noun) + len(new) + _APART or not (
        _joined(pair.before, before) and _joined(pair.after, after)
    ):
        return None
    while after and pair.after[after.start].lower() in _ARTICLES:
        after = after[1:]
    return TextEdit("restyle", text(pair.before, before), text(pair.after, after), "word") if after else None


def _introduced(words: Sequence[str], noun: range, old: Sequence[int] = ()) -> bool:
    """Tells whether an article stands few words before a noun, and all that changes before it between."""
    phrase = phrase_before(words, noun.start)
    article = phrase.start > 0 and words[phrase.start - 1].lower() in _ARTICLES
    return article and len(phrase) <= _DESCRIBING and all(at >= phrase.start for at in old)


def _joined(words: Sequence[str], phrase: range) -> bool:
    """Tells whether a phrase has no punctuation inside: without it the words are not in the prompt."""
    return all(words[at][:1].isalnum() for at in phrase)


def _by_words(asked: Asked, pair: PromptPair) -> tuple[TextEdit, ...]:
    """Edits by what the prompts differ in; nothing where the changes are of several kinds."""
    if _of_style(pair) or asked.everything:
        return _restyled(asked, "whole")
    kinds = {_kind(asked, pair, change) for change in pair.changes}
    if len(kinds) > 1:
        return ()
    match kinds.pop():
        case "retouch":
            return _added(pair)
        case "background":
            return _background(asked, pair)
        case "restyle":
            return _attributes(asked, pair)
        case kind:
            return _exchanged(asked, pair, kind)


def _of_style(pair: PromptPair) -> bool:
    """Tells whether the kind of picture changes: "a photo of", "in the style of"."""
    for change in pair.changes:
        for words, side in ((pair.before, change.old), (pair.after, change.new)):
            if side and (side.stop <= _opening(words) or "style" in text(words, side).lower().split()):
                return True
    return False


def _kind(asked: Asked, pair: PromptPair, change: Change) -> str:
    """Tells which of realedit's edits one change is nearest to."""
    old, new = change.old, change.new
    described = _described(asked, pair, change)
    if described and pair.before[described.stop - 1].lower() == "background":
        return "background"
    if not old or not new:
        words, side = (pair.after, new) if new else (pair.before, old)
        # "and a hat" is a thing; "rusty", "sitting" and the "a big" of "a big cat" are not
        is_thing = any(not is_content(words[at]) for at in side) and bool(named(words, side))
        is_thing &= not (_following(pair, change) and is_content(words[side.stop - 1]))
        return ("retouch" if new else "remove") if is_thing else "restyle"
    noun = _replaced(asked, pair, change)
    if noun is None:
        return "restyle"
    place = phrase_before(pair.before, noun.start).start - 1
    while place >= 0 and pair.before[place].lower() in DETERMINERS:
        place -= 1
    behind = place >= 0 and pair.before[place].lower() in _PLACES and (asked.share or 0) > _MOST
    return "background" if behind else "replace"


def _replaced(asked: Asked, pair: PromptPair, change: Change) -> range | None:
    """Returns the thing that a change replaces by another; None where the change only describes one."""
    old_words, new_words = blended_words(asked.blended)
    inside = find(pair.before, old_words, change.old.start)
    if inside and set(inside) <= set(change.old) and old_words != new_words:
        return inside
    if _following(pair, change) or _does(pair, change) or not named(pair.after, change.new):
        return None
    return named(pair.before, change.old) or None


def _exchanged(asked: Asked, pair: PromptPair, kind: str) -> tuple[TextEdit, ...]:
    """Replaces or removes things, each by its word."""
    edits = []
    for change in pair.changes:
        if kind == "remove":
            edits.append(TextEdit(kind, text(pair.before, named(pair.before, change.old)), None, "word"))
            continue
        noun, new = _replaced(asked, pair, change), thing(pair.after, change.new)
        if noun is None or not new:
            return ()
        start = phrase_before(pair.after, new.start).start if _introduced(pair.before, noun) else new.start
        edits.append(
            TextEdit(kind, text(pair.before, noun), text(pair.after, range(start, new.stop)), "word")
        )
    return tuple(edits)
