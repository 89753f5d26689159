"""The study: its table against numbers by hand, its page, and the command on a store."""

import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_store import log_run, made_run, new_experiment

from src.analysis.study.table import COLUMNS, tabulate
from src.errors import UserError
from src.study import main
from tests.checkout import ROOT

SETS = {"yeast1": "yeast", "yeast2": "yeast", "glass0": "glass", "iris0": "iris", "zoo3": "zoo"}
GAINS = {"ce": 0.0, "focal(gamma=2)": 0.03, "forest": 0.06}
SEEDS = range(6)
BY_DECISION = {"": 0.0, "tuned_": 0.02, "prior_": -0.01}
"""How the names of a decision's metrics begin, and what it gives."""


def scores(f1, val, *, ece=0.05):
    """Metrics of a run whose score on the validation split is ``val`` with argmax."""
    found = {"test_ece": ece, "test_average_precision": 0.8}
    for name, more in BY_DECISION.items():
        found |= {f"test_{name}f1_macro": f1 + more, f"val_{name}crossfit_f1_macro": val + more}
    return found


def study_runs(sets=SETS, gains=GAINS, seeds=SEEDS):
    """Two trials of each method; that at rate 0.01 is better on validation, by 1 pp on test."""
    random = np.random.default_rng(0)
    runs = []
    for number, (data, family) in enumerate(sets.items()):
        of_set = random.normal(0, 0.02, len(gains))
        for seed in seeds:
            for method, gain in enumerate(gains.values()):
                label = list(gains)[method]
                f1 = 0.7 + gain + of_set[method] + random.normal(0, 0.01)
                for rate, better in (("0.001", 0.0), ("0.01", 0.01)):
                    runs.append(
                        made_run(
                            label,
                            seed,
                            0.0,
                            metrics=scores(f1 + better, 0.8 + gain + better),
                            setting=f"{data} {rate}",
                            title=data,
                            run_id=f"{data} {label} {seed} {rate}",
                            fingerprint=f"{data} {seed // 2}",
                            data=data,
                            family=family,
                            kind="reference" if label == "forest" else "network",
                            estimand="table",
                            params={"training.learning_rate": rate},
                            class_counts=(30 * 2**number, 30),
                            rows_train=30 * 2**number + 30,
                            rows_val=20,
                            rows_test=20 * number + 20,
                        )
                    )
    return runs


@pytest.fixture(scope="module")
def study():
    facts = {data: {"overlap": 0.1 * n, "columns": 4} for n, data in enumerate(SETS)}
    return tabulate(study_runs(), facts=facts, left_out=["abalone19: 5 rows of the rarest class"])


def one(study, data, method, decision):
    (row,) = study.sets.query("data == @data and method == @method and decision == @decision").iloc
    return row


def test_a_row_holds_the_paired_differences_of_the_trials_that_validation_chose(study):
    assert tuple(study.sets.columns) == COLUMNS
    assert not study.sets.duplicated(["data", "method", "decision"]).any()
    runs = [run for run in study_runs() if run.data == "glass0" and "0.01" in run.run_id]
    by_seed = {
        label: [r.metrics["test_f1_macro"] for r in runs if r.label == label] for label in GAINS
    }
    gains = 100 * np.subtract(by_seed["focal(gamma=2)"], by_seed["ce"])
    row = one(study, "glass0", "focal(gamma=2)", "argmax")
    assert row["difference"] == pytest.approx(gains.mean())
    assert row["score"] == pytest.approx(np.mean(by_seed["focal(gamma=2)"]))
    assert row["se"] >= gains.reshape(3, 2).mean(axis=1).std(ddof=1) / np.sqrt(3)
    assert row["df"] == 3  # three splits of two seeds, and what training noise counts for
    assert (row["seeds"], row["trials"]) == (6, 2)
    assert (row["rows"], row["ratio"], row["rarest_rows"]) == (150 + 20 + 60, 4, 46)


def test_a_decision_alone_is_the_difference_to_argmax(study):
    for decision, gain in (("argmax", 0), ("tuned", 2), ("prior", -1), ("chosen", 2)):
        row = one(study, "yeast1", "ce", decision)
        assert row["difference"] == 0
        assert row["over_argmax"] == pytest.approx(gain)


def test_any_network_is_the_one_that_validation_chooses(study):
    for data in SETS:
        chosen = one(study, data, "any network", "chosen")
        assert chosen["score"] == one(study, data, "focal(gamma=2)", "tuned")["score"]
        assert chosen["trials"] == 4
    against = study.against.query("against == 'forest' and decision == 'chosen'")
    networks = against[against["method"] == "any network"].set_index("data")["difference"]
    for data in SETS:
        both = [one(study, data, name, "tuned")["score"] for name in ("focal(gamma=2)", "forest")]
        assert networks[data] == pytest.approx(100 * (both[0] - both[1]))


def test_a_set_without_the_baseline_is_named_and_no_baseline_at_all_is_an_error():
    runs = study_runs()
    lacking = [run for run in runs if (run.data, run.label) != ("zoo3", "ce")]
    assert tabulate(lacking).left_out == ["zoo3: has fewer than 2 seeds of ce"]
    with pytest.raises(UserError, match=r"--baseline dice: no .* of it; there are ce, 'focal\(gam"):
        tabulate(runs, "dice")


def test_two_settings_of_a_set_are_an_error():
    runs = study_runs({"glass0": "glass"})
    wider = [
        replace(run, setting=f"{run.setting} wide", params=run.params | {"model.hidden": "[64]"})
        for run in runs
    ]
    with pytest.raises(UserError, match="glass0: ce seed 0 was trained in several settings"):
        tabulate([*runs, *wider])


@pytest.fixture(scope="module")
def written(tmp_path_factory, empty_store):
    """The command's folder, on a store that has the runs, and a page that has a part for it."""
    folder = tmp_path_factory.mktemp("study")
    client, experiment = new_experiment(folder / "mlruns", empty_store, "study")
    for run in study_runs(seeds=range(3)):
        tags = {"setting": run.setting, "data": run.data, "data.family": run.family}
        tags |= {"data.fingerprint": run.fingerprint, "data.estimand": "table"}
        tags |= {"run.kind": run.kind, "identity": run.run_id}
        log_run(
            client, experiment, run.label, run.seed, run.metrics, params=run.params.items(), **tags
        )
    named = '["abalone19: its rarest class has 5 rows, fewer than 15"]'
    tags = {"sweep.command": "train.py -m +experiment=study", "sets.left_out": named}
    client.set_terminated(client.create_run(experiment, tags=tags).info.run_id)
    page = folder / "evidence.md"
    page.write_text("# Mine\n\n<!-- study -->\nOutdated.\n<!-- /study -->\n\nBelow.\n")
    words = ["--root", folder / "mlruns", "--out", folder / "out", "--docs", page]
    with (folder / "said").open("w") as said, redirect_stdout(said):
        assert main([str(word) for word in words]) == 0
    return folder


def test_the_page_has_every_set_won_or_lost_and_what_was_left_out(written):
    text, table = (written / "evidence.md").read_text(), pd.read_csv(written / "out/sets.csv")
    row = re.search(r"\| focal γ2 \| (\+\d\.\d) \[.*\] \| (\d)/(\d)/(\d) \|", text)
    means = table.query("method == 'focal(gamma=2)' and decision == 'argmax'")
    by_family = means.groupby("family")["difference"].mean()
    assert float(row.group(1)) == pytest.approx(by_family.mean(), abs=0.051)
    assert sum(map(int, row.groups()[1:])) == len(SETS)
    for data in SETS:
        assert text.count(f"| {data} |") == 3  # argmax, tuned, prior
    assert "- abalone19: its rarest class has 5 rows, fewer than 15" in text
    assert "columns of 5 data sets, which cannot be loaded here" in text
    shown = (written / "out/report.html").read_text()
    assert shown.count("<svg") > 8
    assert not re.search(r"<script|src=|href=", re.sub(r"<svg.*?</svg>", "", shown, flags=re.S))


def test_the_command_renews_its_part_of_a_page_and_keeps_the_table_beside_it(written):
    found = (written / "evidence.md").read_text()
    assert found.startswith("# Mine\n\n<!-- study -->\n\n### The answer\n\n90 runs")
    assert found.endswith("<!-- /study -->\n\nBelow.\n")
    assert "Outdated" not in found
    assert "90 runs on 5 data sets of 4 families" in (written / "said").read_text()
    tables = [pd.read_csv(written / folder / "sets.csv") for folder in ("out", "evidence")]
    pd.testing.assert_frame_equal(*tables)


def test_a_page_without_its_markers_is_an_error_before_anything_is_read(tmp_path):
    page = tmp_path / "evidence.md"
    page.write_text("# Mine\n")
    with pytest.raises(UserError, match=r"evidence\.md: needs one line <!-- study -->"):
        main(["--root", str(tmp_path / "nowhere"), "--docs", str(page)])
    with pytest.raises(UserError, match=r"missing\.md: no such file"):
        main(["--root", str(tmp_path / "nowhere"), "--docs", str(tmp_path / "missing.md")])


DRAWN = """
import pandas as pd
from src.analysis.study.figures import critical_differences
from src.analysis.study.ranks import rank
best_first = {name: [0.9 - 0.1 * place] * 9 for place, name in enumerate(["ce", *"abcdef"])}
print(critical_differences(rank(pd.DataFrame(best_first), "ce"), "argmax").svg)
"""
"""Seven methods in one order on nine sets: Nemenyi's bars join four neighbours each."""


def test_ranks_are_drawn_alike_whatever_the_order_of_sets_in_a_process():
    drawn = {
        subprocess.run(
            [sys.executable, "-c", DRAWN],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(drawn) == 1
    assert next(iter(drawn)).count("<svg") == 1
