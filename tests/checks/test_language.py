"""The kit in Spanish: complete, the values where they belong, in every thread and process."""

import json
import re
import shutil
import string
import subprocess

import pytest
from kit_texts import ROOT, bare_texts, texts

from src.check import main
from src.checks.language import catalogue, languages, read_translations, say, speaking
from src.checks.results import STATUSES
from src.entry import guarded

SPANISH = ROOT / "src/checks/languages/es.po"


def values_of(text: str) -> list[tuple[str, str, str]]:
    parsed = string.Formatter().parse(text)
    return sorted(
        (name, spec or "", how or "") for _, name, spec, how in parsed if name is not None
    )


def test_every_text_of_the_kit_has_its_translation_and_no_translation_is_left_over():
    wanted = set(texts())
    assert len(wanted) > 400
    assert set(STATUSES) <= wanted
    assert set(catalogue("es")) == wanted


def test_a_translation_is_other_words():
    same = {english for english, spanish in catalogue("es").items() if english == spanish}
    words = {word for text in same for word in re.findall(r"(?<![-.])\b[a-z]{4,}\b(?![.(=])", text)}
    assert words == {"loss", "logits"}


def test_translations_take_the_same_values():
    advice = [text for text in catalogue("es") if "{m." in text]
    for english, spanish in catalogue("es").items():
        if english not in advice and not english.startswith("Exit status"):
            assert values_of(english) == values_of(spanish), english


def test_nothing_is_said_past_the_translation():
    assert [text for text in bare_texts() if not text.startswith("language.py: ")] == []


def test_the_file_is_one_that_gettext_takes_and_reads_alike(tmp_path):
    import gettext

    if shutil.which("msgfmt") is None:
        pytest.skip("needs GNU gettext")
    compiled = tmp_path / "es.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", compiled, SPANISH], check=True)
    with compiled.open("rb") as stream:
        theirs = gettext.GNUTranslations(stream)
    ours = read_translations(SPANISH)
    assert {text: theirs.gettext(text) for text in ours} == ours


def test_a_language_holds_within_its_block_alone():
    with speaking("es"):
        assert say("{} of {} files pass", 2, 3) == "aprueban 2 de 3 archivos"
        with speaking("en"):
            assert say("takes {}", "x") == "takes x"
    assert say("takes {}", "x") == "takes x"
    assert languages() == ("en", "es")


@pytest.mark.parametrize("arguments", [("--lang", "xx"), ("--lang=xx", "src.components:MacroF1")])
def test_a_language_that_it_does_not_speak_is_one_message(arguments, capsys):
    assert guarded(lambda: main(arguments)) == 2
    assert "'xx': choose one of en, es" in capsys.readouterr().err


def test_help_and_mistakes_are_in_spanish(capsys):
    with pytest.raises(SystemExit):
        main(["--lang", "es", "--help"])
    assert "Comprueba losses, métricas" in capsys.readouterr().out
    assert guarded(lambda: main(["--lang", "es", "src.componets:MacroF1"])) == 2
    assert "no existe el módulo componets en src; ¿quizá components" in capsys.readouterr().err


def test_a_report_is_in_spanish_from_the_process_that_runs_the_checks(tmp_path, capsys):
    file = tmp_path / "mia.py"
    file.write_text(
        "import keras\n"
        "def mi_loss(y_true, y_pred):\n"
        "    return keras.ops.mean(keras.ops.square(y_true - y_pred))\n"
    )
    assert main([f"{file}:mi_loss", "--lang", "es", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["leaves_reduction_to_keras"]["seen"].startswith("es un escalar")
    assert checks["weights_each_sample"]["status"] == "warn"
    assert checks["takes_labels_and_predictions"]["seen"].startswith("toma etiquetas")
    assert checks["weights_each_sample"]["mend"].startswith("Devolver en call")
