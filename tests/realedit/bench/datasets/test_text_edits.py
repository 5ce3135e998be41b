"""What another prompt asks for, as realedit's own edits."""

from __future__ import annotations

import pytest

from realedit.bench.datasets.phrases import words_of
from realedit.bench.datasets.prompt_pair import plain
from realedit.bench.datasets.text_edits import Asked, blended_words, text_edits
from realedit.prompts import replace_words, split

ON_A_MAT = "a cat on a mat"


def edits(
    original: str, editing: str, category: str = "random", blended: str = "", share: float = 0.2
) -> str:
    return ", ".join(map(str, text_edits(Asked(original, editing, category, blended, share))))


@pytest.mark.parametrize(
    ("original", "editing", "blended", "found"),
    [
        (
            "a [white] horse in a field",
            "a [black] horse in a field",
            "horse horse",
            "'horse' as 'black horse'",
        ),
        ("a [white] horse in a field", "a [black] horse in a field", "", "'horse' as 'black horse'"),
        ("a white horse in a field", "a black horse in a field", "", "'horse' as 'black horse'"),
        # words that stay about the noun are not lost
        (
            "a slanted bicycle",
            "a slanted [rusty] bicycle",
            "bicycle bicycle",
            "'bicycle' as 'slanted rusty bicycle'",
        ),
        (
            "a fast mountain bike",
            "a fast [new] mountain bike",
            "bike bike",
            "'bike' as 'fast new mountain bike'",
        ),
        # without an article realedit exchanges the noun alone, so the old words have to go with it
        ("two [white] birds", "two [black] birds", "birds birds", "'white birds' as 'black birds'"),
        ("a [black and white] cat", "an [orange] cat", "", "'black and white cat' as 'orange cat'"),
        # behind the noun
        (
            "a dog [standing] on grass",
            "a dog [sitting] on grass",
            "dog dog",
            "'dog standing' as 'dog sitting'",
        ),
        ("a dog standing on grass", "a dog sitting on grass", "", "'dog standing' as 'dog sitting'"),
        ("her eyes [closed]", "her eyes [open]", "", "'eyes closed' as 'eyes open'"),
        ("a [sitting] dog", "a [jumping] dog", "", "'dog' as 'jumping dog'"),
        ("a [red] car", "a car", "", "'car' as 'car'"),
        # blended words that the prompt does not have
        ("a [red] car", "a [blue] car", "vehicle vehicle", "'car' as 'blue car'"),
        ("a [red] car", "a [blue] car", "a b c", "'car' as 'blue car'"),
        # the thing beside the change, not the one that is blended
        ("a house with a [red] roof", "a house with a [blue] roof", "house house", "'roof' as 'blue roof'"),
    ],
)
def test_an_attribute_is_a_restyling_of_what_it_describes(
    original: str, editing: str, blended: str, found: str
) -> None:
    for category in ("change content", "change pose", "change colour", "change material"):
        assert edits(original, editing, category, blended) == f"restyle {found} by word"


@pytest.mark.parametrize(
    ("original", "editing", "category"),
    [
        ("a [white] horse in a field", "a [black] horse in a field", "change colour"),
        ("a slanted bicycle on the road", "a slanted [rusty] bicycle on the road", "random"),
        ("a [black and white] cat", "an [orange] cat", "change colour"),
        ("a dog [standing] on grass", "a dog [sitting] on grass", "change pose"),
        ("a woman", "a woman [with closed eyes]", "change content"),
        ("a small [goat] and a cat", "a small [horse] and a cat", "random"),
        ("a cat, asleep.", "a cat, asleep, [awake].", "change pose"),
        ("the left mug on a mat", "[a sketch of] the left mug on a mat", "change style"),
        ("Cat on a mat!", "A [big] cat on a mat [with a hat]!", "random"),
    ],
)
def test_realedit_paints_under_the_prompt_after_the_edit(original: str, editing: str, category: str) -> None:
    (edit,) = text_edits(Asked(original, editing, category, share=0.2))
    assert edit.word is not None
    assert edit.text is not None
    under = replace_words(plain(original), split(edit.word)[1], edit.text)
    assert words_of(under.lower()) == words_of(plain(editing).lower())


def test_attributes_of_several_things_are_several_restylings() -> None:
    asked = ("a [white] cat and a [black] dog", "a [black] cat and a [white] dog", "change colour", "cat cat")
    assert edits(*asked) == "restyle 'cat' as 'black cat' by word, restyle 'dog' as 'white dog' by word"


def test_what_describes_nothing_is_restyled_in_the_mask_from_prompt_to_prompt() -> None:
    assert edits("a cat, asleep.", "a cat, asleep, [awake]", "change pose") == (
        "restyle 'a cat, asleep' as 'a cat, asleep, awake' by mask"
    )
    far = "a woman in front of the big house at night with her hat [on]"
    assert edits(far, far.replace("[on]", "[off]"), "change content", "woman woman").endswith("by mask")


@pytest.mark.parametrize(
    ("original", "editing", "found"),
    [
        ("a cat on the [grass]", "a cat on the [snow]", "'cat' as 'snow' by word"),
        ("a cat on the grass", "a cat on the snow", "'cat' as 'snow' by word"),
        ("a cat [in a forest]", "a cat [sitting on the beach]", "'cat' as 'the beach' by word"),
        ("a cat before [green] trees", "a cat before [snowy] trees", "'cat' as 'snowy trees' by word"),
        ("a photo of a cat on [grass]", "a photo of a cat on [sand]", "'cat' as 'sand' by word"),
        ("a cat", "a cat [with a beach behind it]", "'cat' as 'a beach' by word"),
        (
            "a cat, [green] grass, [blue] sky",
            "a cat, [brown] grass, [red] sky",
            "'cat' as 'brown grass and red sky' by rest",
        ),
        # a word finds one thing: several are shown by what the mask leaves out
        ("a cat and a dog on [grass]", "a cat and a dog on [sand]", "'cat' as 'sand' by rest"),
        ("[green] grass", "[yellow] grass", "as 'yellow grass' by rest"),
    ],
)
def test_a_background(original: str, editing: str, found: str) -> None:
    assert edits(original, editing, "change background", share=0.7) == f"background {found}"


def test_a_background_whose_mask_shows_nothing_goes_by_the_word() -> None:
    asked = ("a cat and a dog on [grass]", "a cat and a dog on [sand]", "change background")
    assert edits(*asked, share=1.0) == "background 'cat' as 'sand' by word"
    maskless = text_edits(Asked(*asked))
    assert [edit.shown for edit in maskless] == ["word"]


@pytest.mark.parametrize(
    ("editing", "text"),
    [
        ("a cat on a mat [with a hat]", "a hat"),
        ("a cat [wearing sunglasses] on a mat", "sunglasses"),
        ("a cat [and two dogs] on a mat", "two dogs"),
        ("[a bird and] a cat on a mat", "a bird"),
        ("a cat [with a hat] on a mat [and a ball]", "a hat and a ball"),
        ("a cat with a hat on a mat", "a hat"),
    ],
)
def test_what_is_added_is_painted_into_the_mask(editing: str, text: str) -> None:
    assert edits(ON_A_MAT, editing, "add object") == f"retouch as '{text}' by mask"


def test_an_addition_that_adds_no_thing_is_restyled_in_the_mask() -> None:
    assert edits("a big cat", "a cat", "add object") == "restyle 'a big cat' as 'a cat' by mask"


def test_a_style_is_of_the_whole_picture() -> None:
    found = "restyle 'a cat on a mat' as 'a sketch of a cat on a mat' by whole"
    assert edits("a cat on a mat.", "[a sketch of] a cat on a mat", "change style") == found


@pytest.mark.parametrize(
    ("original", "editing", "blended", "share", "found"),
    [
        (
            "a slanted bicycle",
            "a slanted [rusty] bicycle",
            "bicycle bicycle",
            0.2,
            "restyle 'bicycle' as 'slanted rusty bicycle' by word",
        ),
        ("a [goat] and a cat", "a [horse] and a cat", "goat horse", 0.2, "replace 'goat' as 'horse' by word"),
        ("a goat and a cat", "a horse and a cat", "", 0.2, "replace 'goat' as 'horse' by word"),
        ("a small [goat]", "a small [horse]", "", 0.2, "replace 'goat' as 'small horse' by word"),
        ("a [cat with a bow]", "a [dog with a hat]", "", 0.2, "replace 'cat' as 'dog with a hat' by word"),
        (
            "a [cat] on a [chair]",
            "a [dog] on a [sofa]",
            "",
            0.2,
            "replace 'cat' as 'dog' by word, replace 'chair' as 'sofa' by word",
        ),
        ("a cat and a dog", "a cat", "", 0.2, "remove 'dog' by word"),
        ("a [big] cat", "a cat", "", 0.2, "restyle 'cat' as 'cat' by word"),
        ("a cat on a mat", "a cat on a mat [with a hat]", "", 0.2, "retouch as 'a hat' by mask"),
        (
            "a dog standing on grass",
            "a dog sitting on grass",
            "",
            0.2,
            "restyle 'dog standing' as 'dog sitting' by word",
        ),
        # a place that is more than half of the picture
        ("a cat on a [mat]", "a cat on a [rug]", "", 0.2, "replace 'mat' as 'rug' by word"),
        ("a cat on the [grass]", "a cat on the [snow]", "", 0.7, "background 'cat' as 'snow' by word"),
        (
            "a cat, [black background]",
            "a cat, [red background]",
            "",
            0.2,
            "background 'cat' as 'red background' by rest",
        ),
        # about the picture, not about what it shows
        (
            "[a painting of] a cat",
            "[a photo of] a cat",
            "",
            0.2,
            "restyle 'a painting of a cat' as 'a photo of a cat' by whole",
        ),
        (
            "a cat",
            "a cat [in the style of Monet]",
            "",
            0.2,
            "restyle 'a cat' as 'a cat in the style of Monet' by whole",
        ),
        ("a [big] cat", "a [small] cat", "", 1.0, "restyle 'a big cat' as 'a small cat' by whole"),
        # of several kinds
        (
            "a cat",
            "a [black] cat [with a hat]",
            "",
            0.2,
            "restyle 'a cat' as 'a black cat with a hat' by mask",
        ),
    ],
)
def test_any_other_category_goes_by_what_the_prompts_differ_in(
    original: str, editing: str, blended: str, share: float, found: str
) -> None:
    assert edits(original, editing, "random", blended, share) == found
    assert edits(original, editing, "change object", blended, share) == found


def test_prompts_that_do_not_differ_ask_for_nothing() -> None:
    for category in ("random", "change style", "add object", "change background", "change pose"):
        assert text_edits(Asked("a [cat]", "the cat.", category)) == ()


def test_blended_words() -> None:
    assert blended_words("cat dog") == (["cat"], ["dog"])
    assert blended_words("teddy bear toy car") == (["teddy", "bear"], ["toy", "car"])
    assert blended_words("cat") == (["cat"], ["cat"])
    assert blended_words("") == blended_words("a b c") == ([], [])
