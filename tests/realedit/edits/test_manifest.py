"""A manifest says for each photo which edit it gets; a line that is wrong leaves the others alone."""

import json
from pathlib import Path

import pytest

from realedit import Move, Paste, Remove
from realedit.edits.manifest import ManifestLine, read_manifest
from realedit.edits.prepared import named_files
from realedit.errors import UsageError


def lines(tmp_path: Path, text: str, name: str = "edits.csv") -> list[ManifestLine]:
    (tmp_path / name).write_text(text)
    return read_manifest(tmp_path / name)


def problems(found: list[ManifestLine]) -> list[str]:
    return [str(line.problem) for line in found]


def test_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    table = (
        "photo,output,move,remove,dx,dy,box,seed,mask,point,allow_crop\n"
        'a.jpg,,mug,,0.2,-.1,"0.1,0.2,0.3,0.4",7,,,true\n'
        "\n"
        'deep/b.jpg,c.png,,"the ""old"" cup",,,,,b.png,,\n'
        'd.jpg,,bowl,,0.1,,,,,"0.5,0.5;0.6,0.6",\n'
    )
    listed = [
        {"photo": "a.jpg", "move": "mug", "dx": 0.2, "dy": -0.1, "box": [0.1, 0.2, 0.3, 0.4], "seed": 7}
        | {"allow_crop": True},
        {"photo": "deep/b.jpg", "output": "c.png", "remove": 'the "old" cup', "mask": "b.png"},
        {"photo": "d.jpg", "edits": [{"move": "bowl", "dx": 0.1}], "point": [[0.5, 0.5], [0.6, 0.6]]},
    ]
    ours = lines(tmp_path, table)
    theirs = lines(tmp_path, "\n".join(map(json.dumps, listed)) + "\n\n", "edits.jsonl")
    assert problems(ours) == problems(theirs) == ["None"] * 3
    for one, other in zip(ours, theirs, strict=True):
        assert (one.photo, one.output, one.mask, one.file) == (
            other.photo,
            other.output,
            other.mask,
            other.file,
        )
    assert ours[1].photo == tmp_path / "deep" / "b.jpg"
    assert (ours[1].mask, ours[1].output) == (tmp_path / "b.png", Path("c.png"))
    assert ours[1].file is not None
    assert ours[1].file.edits == [Remove('the "old" cup')]
    assert theirs[2].file is not None
    assert theirs[2].file.edits == [Move("bowl", 0.1)]
    assert theirs[2].file.options.point == [[0.5, 0.5], [0.6, 0.6]]


def test_pictures_that_an_edit_names_lie_beside_the_manifest(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, "photo,paste,from,x,y\na.jpg,mug,other.jpg,0.3,0.6\n")
    assert line.file is not None
    (paste,) = line.file.edits
    assert isinstance(paste, Paste)
    assert named_files(paste) == {"source": str(tmp_path / "other.jpg")}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"move": "mug", "dx": 0.1}', "names no photo"),
        ('{"photo": "a.jpg"}', "no edit in it"),
        ('{"photo": "a.jpg", "resize": "mug"}', "scale"),
        ('{"photo": "a\\u0000.jpg", "remove": "mug"}', "names of files"),
        ('{"photo": "a.jpg", "move": "mug", "remove": "bowl"}', "in one edit"),
        ('{"photo": 7, "remove": "mug"}', "names of files"),
        ('{"photo": "a.jpg", "remove": "mug", "output": "../x.png"}', "leads out"),
        ('{"photo": "a.jpg", "remove": "mug", "output": "/tmp/x.png"}', "leads out"),
        ('{"photo": "a.jpg", "remove": "mug", "model": "sdxl"}', "holds for the whole run"),
        ('{"photo": "a.jpg", "remove": "mug", "seed": -1}', "seed"),
        ("[1]", "no JSON object"),
        ("{", "is not JSON"),
        ('{"a": ' * 900 + "1" + "}" * 900, "deep"),
    ],
)
def test_a_wrong_line_is_told_and_the_others_are_read(tmp_path: Path, line: str, says: str) -> None:
    text = '{"photo": "b.jpg", "remove": "mug"}\n' + line + '\n{"photo": "c.jpg", "remove": "mug"}'
    found = lines(tmp_path, text, "edits.jsonl")
    assert [one.problem is None for one in found] == [True, False, True]
    assert says in str(found[1].problem)
    assert "edits.jsonl:2" in str(found[1].problem)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a.jpg,mug,far", "dx is a number, not 'far'"),
        ("a.jpg,mug,0.1,more", "more cells"),
        (",mug,0.1", "names no photo"),
        ("a.jpg", "no edit in it"),
    ],
)
def test_a_wrong_row_is_told_and_the_others_are_read(tmp_path: Path, row: str, says: str) -> None:
    found = lines(tmp_path, f"photo,move,dx\nb.jpg,mug,0.1\n{row}\nc.jpg,mug,0.1\n")
    assert [one.problem is None for one in found] == [True, False, True]
    assert says in str(found[1].problem)


@pytest.mark.parametrize("text", ["", "move,dx\nmug,0.1\n", "photo\n", "\xff" * 9])
def test_what_is_no_manifest_is_told_at_once(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        lines(tmp_path, text)


def test_a_manifest_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*: No such file"):
        read_manifest(tmp_path / "none.csv")


@pytest.mark.parametrize("number", ["1e400", "inf", "nan", "-inf", "3.5", "1" * 5000])
def test_a_cell_that_is_no_number_is_told_with_its_line(tmp_path: Path, number: str) -> None:
    file = tmp_path / "edits.csv"
    file.write_text(f"photo,move,dx,seed\na.png,mug,0.1,{number}\n")
    (line,) = read_manifest(file)
    assert line.problem is not None
    assert "edits.csv:2" in line.problem.message
    file.write_text("photo,move,dx,seed\na.png,mug,0.1,9007199254740993\n")
    (line,) = read_manifest(file)
    assert line.file is not None
    assert line.file.options.seed == 9007199254740993
