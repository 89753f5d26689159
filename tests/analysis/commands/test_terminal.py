"""The answer in a real terminal, at several widths, and in a file: no name lost, verdict last."""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import traceback

import pytest
from made_store import FOCAL, made_run, scored

from src.analysis.answer import answer
from src.analysis.report.terminal import print_answer
from src.analysis.selection import Selection
from src.runs.labels import PLAIN, short_label

LABELS = {
    "ce": 0.80,
    FOCAL: 0.70,
    "class_balanced_focal(gamma=2, beta=0.999)": 0.82,
    "asymmetric(gamma_pos=0, gamma_neg=4, margin=0.05)": 0.75,
    "weighted_ce + smote(k=3)": 0.85,
}
"""Losses with their scores on the validation split."""
SHORT = [short_label(label) for label in LABELS]
WIDTHS = (80, 100, 120)


def answered(seeds=6, command="train.py -m loss=ce,focal seed=0,1", labels=LABELS):
    """Each seed has runs at one learning rate; the test split prefers what validation does not."""
    runs = [
        made_run(
            label,
            seed,
            0,
            metrics=scored(
                0.9 - val / 4 + 0.004 * ((seed * len(label)) % 7), val, tuned=0.8 - val / 4
            ),
            params={"training.learning_rate": "0.001"},
        )
        for seed in range(seeds)
        for label, val in labels.items()
    ]
    return answer(Selection("made", "nowhere", runs, [], command=command), "ce", 2.0, "argmax")


def in_a_terminal(found, width, encoding="utf-8"):
    """What a pseudo-terminal of a width shows of an answer that a process of its own prints."""
    pid, reader = pty.fork()
    if pid == 0:
        status = 1
        try:
            os.environ.pop("COLUMNS", None)
            os.environ["TERM"] = "xterm"
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
            sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding=encoding)
            print_answer(found)
            sys.stdout.flush()
            status = 0
        except BaseException:
            os.write(1, traceback.format_exc().encode())
        os._exit(status)
    parts = []
    try:
        while part := os.read(reader, 4096):
            parts.append(part)
    except OSError:  # the other end is closed
        pass
    os.close(reader)
    shown = b"".join(parts).decode(encoding)
    assert os.waitpid(pid, 0)[1] == 0, shown
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")


def tables_of(shown):
    """The lines of each table, its head first."""
    found = re.findall(r"^( loss .*)\n [─-]+ *\n((?: .*\n)+?) *\n", shown, re.MULTILINE)
    return [[head, *rows.splitlines()] for head, rows in found]


def folded_names(rows):
    return "".join(re.split(r" {2,}", row.strip())[0] for row in rows).replace(" ", "")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_row_keeps_its_name_and_every_line_fits(width):
    shown = in_a_terminal(answered(), width)
    tables = tables_of(shown)
    assert len(tables) == 2
    for head, *rows in tables:
        assert max(map(len, [head, *rows])) <= width
        for name in SHORT:
            assert name.replace(" ", "") in folded_names(rows)
        for row in rows:  # a cell stands under a head, so no column is without one
            for cell in re.finditer(r"\S+(?: \S+)*", row):
                assert head[cell.start() : cell.end()].strip()
    kept = ("verdict", "diff. (pp)", "mean ± sd")
    assert all(name in tables[0][0] for name in kept)
    assert ("p (Holm)" in tables[0][0]) == (width == 120)
    prose = [line for line in shown.splitlines() if not line.strip().startswith("python ")]
    assert max(map(len, prose)) <= width


def test_losses_are_sorted_by_validation_and_the_verdict_is_last():
    shown = in_a_terminal(answered(), 120)
    (_, *rows), _ = tables_of(shown)
    order = sorted(LABELS, key=lambda label: -LABELS[label])
    assert [row.split()[0] for row in rows] == [short_label(one).split()[0] for one in order]
    last = shown[shown.rindex("\nAnswer: ") :]
    assert shown.rindex("Recommendation") < shown.index(last)
    verdict = answered().of("one")[0].verdict
    assert " ".join(last.split()).startswith(
        f"Answer: {verdict}. weighted_ce + smote k3, recommended of 4, against ce: "
    )
    assert last.rstrip().endswith("python train.py -m loss=ce,focal seed=0,1 tuning=learning_rate")


def test_a_terminal_without_greek_letters_gets_plain_ones():
    shown = in_a_terminal(answered(), 100, "ascii")
    assert "focal g2 a.25" in shown
    assert shown.isascii()
    assert short_label(FOCAL).translate(PLAIN) == "focal g2 a.25"


def test_one_seed_leaves_the_spread_unknown_and_says_what_to_add():
    shown = in_a_terminal(answered(seeds=1, labels={"ce": 0.8, FOCAL: 0.7}), 120)
    last = shown[shown.rindex("\nAnswer: ") :]
    assert "one seed: spread unknown; add 'seed=range(0,10)'" in " ".join(last.split())
    assert last.rstrip().endswith("python train.py -m loss=ce,focal 'seed=range(0,10)'")
    assert not re.search("PASS|FAIL", shown)
