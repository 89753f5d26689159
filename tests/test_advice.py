"""What a message says to type can be typed: each piece goes through a shell and then Hydra."""

import ast
import re
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from src.config.check import check
from src.data.table import table
from src.entry import message
from src.errors import UserError, override, words

SRC = Path(__file__).parents[1] / "src"
SECTION = r"(?:data|loss|model|tracking|force|seed)(?:[./][\w.]+)?"
KEY = rf"(?:(?:training|tuning|hydra)[./][\w.]+|{SECTION})"
ADVICE = re.compile(rf"'{KEY}=[^']+'|(?<![\w'.-]){KEY}=[^\s;,:)`']+(?:,[^\s;,:)`']+)*(?![\w]*:)")
COMMAND = re.compile(
    r"python (?:-m src\.|train\.py)(?:(?!  )[^\n`;\0])*|make \w+(?:(?!  )[^\n`;\0)])*"
)
HOLE = "\0"
"""Stands for what an f-string fills in."""
AWKWARD = ("Año", "y (1=yes)", "a,b", "[x]", "it's", 'say "so"', "$HOME", "null", "1", "back\\")


def shell(*typed):
    """The words that a shell makes of a line."""
    line = " ".join(typed)
    done = subprocess.run(
        ["sh", "-c", f'show() {{ for w; do printf "%s\\0" "$w"; done; }}; show {line}'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout.split("\0")[:-1]


def value_in(word):
    """What a config holds after a word was typed."""
    parsed = OverridesParser.create().parse_override(word)
    return OmegaConf.to_container(OmegaConf.create({"v": parsed.value()}), resolve=True)["v"]


def texts():
    """Every text in the code of the project, docstrings aside, with its file and line."""
    for file in sorted(SRC.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
                  for part in ast.walk(node) if part is not node}  # fmt: skip
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            place = f"{file.relative_to(SRC)}:{getattr(node, 'lineno', 0)}"
            if id(node) in inside | docs:
                continue
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else HOLE
                         for part in node.values]  # fmt: skip
                yield place, "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield place, node.value


def test_a_value_is_put_into_advice_by_the_function_that_quotes_it():
    """Only where a message begins does a key stand beside the value that was refused."""
    for place, text in texts():
        for found in re.finditer(rf"{KEY}=[^\s{HOLE}]*{HOLE}", text):
            before = text[: found.start()]
            assert not before.strip(HOLE) or before.endswith(", "), f"{place}: {text!r}"


def test_each_word_of_advice_is_one_word_of_a_shell_and_an_override(composer):
    found = {word.rstrip(".") for _, text in texts() for word in ADVICE.findall(text)
             if HOLE not in word and not text.startswith(word)}  # fmt: skip
    assert len(found) > 20
    for word in sorted(found - {"hydra/launcher=submitit_*"}):
        (typed,) = shell(word)
        swept = OverridesParser.create().parse_override(typed).is_sweep_override()
        if swept or "FOLDER" in typed or typed.startswith(("hydra/", "hydra.")):
            continue
        sections = {
            "data": ("data=table", "data=fashion_mnist", "data=image_folder", "data=openml"),
            "model": ("model=cnn", "model=pretrained"),
        }
        for source in sections.get(typed.partition(".")[0], ("loss=focal",)):
            with suppress(HydraException):
                composer(source, typed)
                break
        else:
            pytest.fail(f"no config takes {word}")


def test_each_command_that_is_shown_is_a_line_of_a_shell():
    found = {text for _, line in texts() for text in COMMAND.findall(line)}
    assert len(found) > 10
    for command in found:
        assert shell(*[command.strip()]), command


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
                    lambda parts: st.lists(parts, max_size=3), max_leaves=3))  # fmt: skip
def test_any_value_comes_back_from_hydra_as_it_was(value):
    (word,) = shlex.split(override("data.label", value))
    assert value_in(word) == value


@pytest.mark.parametrize("value", AWKWARD)
def test_a_column_of_any_name_is_left_out_by_what_messages_say(value, composer, tmp_path):
    file = tmp_path / "t.csv"
    quoted = value.replace('"', '""')
    rows = [f"{i},2024-01-{i % 9 + 1:02d},{'ab'[i % 2]}" for i in range(40)]
    file.write_text(f'n,"{quoted}",label\n' + "\n".join(rows))
    with pytest.raises(UserError) as caught:
        table(str(file), "label")
    (word,) = shell(*re.findall(r"leave the column out with (.+)\.$", str(caught.value)))
    data = check(composer("data=table", f"data.path={file}", "data.label=label", word))["data"]
    assert data["drop"] == [value]
    assert table(str(file), "label", drop=data["drop"]).feature_names == ("n",)


@pytest.mark.parametrize(
    "value", ["Año", "y (1=yes)", ";", "a{b}", "it's", "#1", "a=b", '"x', "[a b"]
)
def test_a_value_that_hydra_cannot_read_is_answered_with_the_word_that_it_can(value):
    with pytest.raises(HydraException) as caught:
        OverridesParser.create().parse_overrides([f"data.label={value}"])
    said = message(caught.value)
    (word,) = shell(said.rpartition(": ")[2])
    assert value_in(word) == value


def test_a_list_without_a_sweep_and_a_value_with_a_blank_are_answered_so_too(
    train_several, tmp_path
):
    commands = [["data=table", "data.label=a,b"], ["data=table", "data.path=my", "data.csv"]]
    listed, blank = train_several([(words, tmp_path) for words in commands], tmp_path)
    for outcome, value in ((listed, "a,b"), (blank, "my data.csv")):
        assert outcome.status == 2
        (word,) = shell(outcome.err.strip().rpartition(": ")[2])
        assert value_in(word) == value


@pytest.mark.parametrize(("name", "mark"), {"semicolon": ";", "tab": "\t", "pipe": "|"}.items())
def test_a_delimiter_has_a_name_that_means_nothing_to_a_shell(name, mark, tmp_path):
    file = tmp_path / "t.csv"
    rows = [mark.join((str(i * 37 % 101), str(i), "ab"[i % 2])) for i in range(40)]
    file.write_text("\n".join([mark.join(("x", "y", "label")), *rows]))
    with pytest.raises(UserError) as caught:
        table(str(file), "label")
    (word,) = shell(re.search(r"set (data\.delimiter=\S+)\.$", str(caught.value))[1])
    assert value_in(word) == name
    assert table(str(file), "label", delimiter=name).feature_names == ("x", "y")


def test_of_losses_to_choose_from_each_is_one_word_of_a_shell():
    labels = ["ce", "focal(gamma=2, alpha=0.25)", "focal(gamma=2, alpha=[1,'a'])"]
    typed = shell(words(labels))
    assert [word.removesuffix(",") for word in typed] == labels
