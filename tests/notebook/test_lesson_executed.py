"""The notebook runs from top to bottom, and shows what its text says that it shows."""

import re

import numpy as np
import pytest
from sklearn.metrics import f1_score

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # the first test waits for the whole run

PLOTS = ("media-de-lotes", "datos", "focal-corta", "recorte-comparado", "tarea-honesta")
CAUGHT = {
    "forma de la loss": ("fail", "gives_one_value_a_sample"),
    "métrica sin reset": ("fail", "reset_state_forgets_everything"),
    "estado en Python": ("fail", "state_is_in_variables"),
    "capa sin get_config": ("fail", "saves_and_loads"),
    "pesos en __init__": ("warn", "creates_weights_in_build"),
    "train_step sin métricas": ("fail", "logs_hold_loss_and_metrics"),
}

WORDS = {"fail": "falla", "warn": "avisa"}
INTERVAL = "(lambda d: (d.mean(), *ttest_1samp(d, 0).confidence_interval(0.95)))"
SOLUTIONS = {
    "turno-1": ("mi_focal_loss", "focal_loss"),
    "turno-2": ("MiF1", "F1Macro"),
    "turno-3": ("MiNormalizacion", "L2Normalize"),
    "turno-4": ("MiModelo", "ModeloConRecorte"),
    "turno-5": ("MiPotencia", "PotenciaCompleta"),
    "turno-tarea": ("mi_intervalo", f"lambda focal, base: {INTERVAL}(np.subtract(focal, base))"),
}


def test_every_cell_ran_and_none_complained(lesson):
    cells = [cell for cell in lesson.notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not [o for o in cell.outputs if o.output_type == "error"], cell.id
        assert not [o.text for o in cell.outputs if o.get("name") == "stderr"], cell.id


@pytest.mark.parametrize("name", PLOTS)
def test_plots_are_drawn(lesson, name):
    assert any("image/png" in output.get("data", {}) for output in lesson.cell(name).outputs)


# --- stateless and stateful ---------------------------------------------------------------------
def test_the_metric_does_not_depend_on_the_batch_size_and_the_function_does(lesson):
    means = lesson.ask("medias.tolist()")
    epochs = lesson.ask("epocas_enteras.tolist()")
    truth, said = lesson.ask("verdad.tolist()"), lesson.ask("dicho.tolist()")
    expected = f1_score(truth, said, average="macro")
    assert epochs == pytest.approx([expected] * len(epochs), abs=1e-6)
    assert means[0] < expected - 0.05
    assert means[-1] == pytest.approx(expected, abs=1e-6)


# --- exercises ----------------------------------------------------------------------------------
def test_without_fashion_mnist_it_takes_digits_and_says_so(lesson):
    assert lesson.printed("datos").startswith("Imágenes: digits: ")


def test_with_the_folder_of_the_variable_it_takes_fashion_mnist(lesson, fashion_folder):
    name = lesson.ask(
        f"[os.environ.update(FASHION_MNIST={str(fashion_folder)!r}), cargar_imagenes().name][1]"
    )
    assert name == "fashion_mnist"
    assert lesson.ask("[os.environ.pop('FASHION_MNIST'), cargar_imagenes().name][1]") == "digits"


def test_short_focal_loss_is_the_projects_and_keras_s(lesson):
    pairs = lesson.ask(
        "[[a.numpy().tolist(), b.numpy().tolist()] for a, b in focal_frente_a.values()]"
    )
    assert len(pairs) == 3
    for short, other in pairs:
        assert short == pytest.approx(other, rel=1e-4, abs=1e-6)


def test_where_the_short_loss_gives_nan_the_projects_is_finite(lesson):
    assert lesson.printed("focal-saturada").startswith("versión corta: [nan nan nan]")
    assert (
        lesson.ask("np.isfinite(gradiente(sparse_categorical_focal_loss)).tolist()") == [True] * 3
    )
    assert lesson.ask("informe_focal.passed")
    assert lesson.ask("informe_con_nan.failed") == ["finite_when_saturated"]
    assert "nan" in lesson.ask("informe_con_nan.result('finite_when_saturated').seen")
    assert lesson.ask("informe_sin_nan.passed")


@pytest.mark.parametrize("turn", SOLUTIONS)
def test_a_cell_to_fill_says_so_and_takes_the_solution(lesson, turn):
    """The solution stands in for what a student writes; the end of the cell judges it."""
    name, solution = SOLUTIONS[turn]
    empty = lesson.printed(turn)
    assert (f"{name}: tu turno" in empty) == (turn != "turno-tarea")
    assert ("todavía no" in empty) == ("coincide(" in lesson.cell(turn).source)
    judging = lesson.cell(turn).source.split("\n\n\n")[-1]
    said = lesson.run(f"{name} = {solution}\n{judging}")
    assert " 0 fallan" in said or "lo mismo" in said
    assert not re.search(r"tu turno|todavía no|difiere|[1-9]\d* fallan", said), said


def test_focal_loss_and_cross_entropy_were_compared_on_the_images(lesson):
    scores = lesson.ask("puntos_imagenes")
    assert {len(values) for values in scores.values()} == {3}
    assert all(20 < value < 100 for values in scores.values() for value in values)
    shown = re.search(r"diferencia \(pp\) +(.+)", lesson.printed("entrenar")).group(1)
    expected = np.subtract(scores["focal"], scores["entropía cruzada"])
    assert [float(number) for number in shown.split()] == pytest.approx(expected, abs=0.006)


def test_short_f1_is_the_projects_keras_s_and_scikit_learns(lesson):
    values = list(lesson.ask("f1_comparados").values())
    assert len(values) == 4
    assert values == pytest.approx([values[-1]] * 4, abs=1e-6)


def test_normalising_in_a_model_gives_norms_of_one(lesson):
    norms = np.array(lesson.ask("normas.tolist()"))
    assert np.all(np.isclose(norms, 1, atol=1e-5) | (norms == 0))
    outputs = lesson.ask("{name: value.tolist() for name, value in normalizados.items()}")
    assert outputs["proyecto"] == [
        pytest.approx(v, abs=1e-6) for v in ([0.6, 0.8], [0, 0], [0.6, 0.8])
    ]
    assert np.isnan(outputs["versión corta"][1]).all()


def test_three_ways_to_clip_end_in_the_same_weights(lesson):
    short = lesson.ask("pesos_cortos.tolist()")
    for other in ("pesos_proyecto", "pesos_keras"):
        assert lesson.ask(f"{other}.tolist()") == pytest.approx(short, abs=1e-5)
    assert lesson.ask("list(historia_corta)") == ["f1_macro", "loss", "norma"]
    assert max(lesson.ask("historia_proyecto['clipped_fraction']")) > 0
    failed = {"trains_in_mixed_precision", "saves_and_loads"}
    assert set(lesson.ask("informe_recorte.failed")) == failed
    assert lesson.ask("informe_clipped.passed")


def test_a_forgotten_argument_is_lost_and_a_complete_config_is_not(lesson):
    assert lesson.ask("vueltas") == {
        "Potencia": [8, 4],
        "PotenciaCompleta": [8, 8],
        "PotenciaRegistrada": [8, 8],
    }
    assert lesson.ask("informe_config.failed") == ["config_round_trips"]
    assert lesson.ask("error_sin_registrar")
    assert lesson.ask("iguales")


# --- homework -----------------------------------------------------------------------------------
def test_the_homework_has_its_verdict_from_paired_seeds(lesson):
    (line,) = re.findall(r"^VEREDICTO: (.+)$", lesson.printed("tarea-veredicto"), re.MULTILINE)
    found = re.fullmatch(
        r"focal - entropía cruzada \(argmax\): ([+-][\d.]+) pp, IC 95 % "
        r"\[([+-][\d.]+), ([+-][\d.]+)\], n = 5: (CUMPLE|NO CUMPLE)",
        line,
    )
    mean, low, high = (float(number) for number in found.groups()[:3])
    focal, base = (
        np.array(lesson.ask(f"tarea[{name!r}]['argmax']")) for name in ("focal", "entropía cruzada")
    )
    assert mean == pytest.approx((focal - base).mean(), abs=0.06)
    assert low < mean < high
    assert found.group(4) == ("CUMPLE" if mean >= 2 and low > 0 else "NO CUMPLE")
    assert found.group(4) == "CUMPLE"  # as the text below it says


def test_the_data_of_the_homework_has_five_percent_of_minority(lesson):
    assert "(5.0 %)" in lesson.printed("tarea-entrenar")


@pytest.mark.parametrize(("name", "loss"), [("entropía cruzada", "ce"), ("focal", "focal")])
def test_the_homework_has_the_numbers_of_train_py(lesson, resolved, name, loss):
    """To the bit, on its first seed: the same data, first weights, batches and best epoch."""
    config = resolved(f"loss={loss}", "seed=100", "training.progress=false")
    printed = lesson.run(
        "from src.engine.fit import train\n"
        "from src.engine.sizing import sized\n"
        f"datos_de_100, config = simulated(100), {config!r}\n"
        "corrida = train(sized(config, datos_de_100), datos_de_100, '')\n"
        "print(100 * f1_macro(datos_de_100.y_test, corrida.test_logits.argmax(1), 2))"
    )
    assert float(printed) == lesson.ask(f"tarea[{name!r}]['argmax'][0]")


def test_macro_f1_was_computed_in_training(lesson):
    assert lesson.ask("all(len(h) == 20 for m in tarea.values() for h in m['historia'])")
    assert lesson.ask("all(0 < f1 < 1 for m in tarea.values() for h in m['historia'] for f1 in h)")


def test_the_verdict_stands_beside_weights_and_tuned_thresholds(lesson):
    shown = re.findall(
        r"^(.+) - entropía cruzada \((\w+)\): .+CUMPLE$",
        lesson.printed("tarea-honesta"),
        re.MULTILINE,
    )
    assert shown == [("con pesos", "argmax"), ("focal", "umbral"), ("con pesos", "umbral")]
    gains = {
        (loss, decision): lesson.ask(f"contra_la_base(tarea, {loss!r}, {decision!r})[1]")
        for loss, decision in [("focal", "argmax"), *shown]
    }
    # What the text concludes: weights gain more, and a tuned threshold takes most of it away.
    assert gains["con pesos", "argmax"] > gains["focal", "argmax"]
    assert gains["focal", "umbral"] < gains["focal", "argmax"] / 2
    assert gains["con pesos", "umbral"] < gains["con pesos", "argmax"] / 2


def test_at_its_best_rate_cross_entropy_catches_up(lesson):
    """What the text concludes; the rates are chosen by the validation split alone."""
    names = ("tarea", "con_otra_tasa")
    at_rates = [lesson.ask(f"{name}['entropía cruzada']") for name in names]
    low, high = ([max(history) for history in at["historia"]] for at in at_rates)
    scores = [at["argmax"] for at in at_rates]
    expected = [b if up > down else a for a, b, down, up in zip(*scores, low, high, strict=True)]
    assert lesson.ask("afinada['entropía cruzada']['argmax']") == pytest.approx(expected)
    assert np.mean(expected) > np.mean(lesson.ask("tarea['focal']['argmax']"))
    assert lesson.ask("contra_la_base(afinada, 'focal')[1]") < 2
    assert "NO CUMPLE" in lesson.printed("tarea-tasa")


# --- mistakes and questions ---------------------------------------------------------------------
def test_every_mistake_is_provoked_and_caught(lesson):
    caught = lesson.ask("{error: [r.status, r.name] for error, r in atrapados.items()}")
    assert {error: tuple(found) for error, found in caught.items()} == CAUGHT
    for error, (status, name) in CAUGHT.items():
        assert re.search(
            rf"^{re.escape(error)} +{WORDS[status]} +{name}$", lesson.printed("errores-tabla"), re.M
        )


def test_symptoms_of_the_mistakes_are_shown(lesson):
    right, wrong = lesson.ask("[historia['f1_corta'], historia['sin_reset']]")
    assert wrong[-1] < right[-1] - 0.02
    assert lesson.ask("mala") == pytest.approx(lesson.ask("buena") / 4, rel=1e-4)
    assert lesson.ask("error_al_guardar").startswith("NotImplementedError")
    assert lesson.ask("error_de_ancho")
    assert lesson.ask("registran") == {
        "SinMetricas": ["loss"],
        "ConMetricas": ["f1_macro", "loss"],
    }


def test_mended_components_pass(lesson):
    assert lesson.ask("[arreglada.passed, arreglado.passed]") == [True, True]


def test_questions_are_answered_by_what_runs(lesson):
    assert lesson.ask("[error_de_partial, copia_de_loss.gamma]") == ["TypeError", 1.0]
    assert lesson.ask("[por_muestra.passed, por_lote.passed, acumulada.passed]") == [
        True,
        False,
        True,
    ]
    assert "escala" in lesson.ask("error_de_call")
    assert lesson.ask("informe_llamada.failed") == ["defines_call_not_dunder_call"]
    assert lesson.ask("float(distancia_del_bucle)") < 1e-6
    assert lesson.ask("se_movio") == {"PesosEnBuild": True, "ConVariable": False}
    assert lesson.ask("informe_variable.failed") == ["weights_are_made_by_add_weight"]


def test_built_ins_alone_train_the_same_kind_of_model(lesson):
    assert lesson.ask("historia_solo_keras['f1'][-1]") > 0.5
    assert lesson.ask("[float(nuestra), float(de_keras)]")[0] == pytest.approx(
        lesson.ask("float(de_keras)"), rel=1e-5
    )


def test_nothing_is_left_in_the_repository(lesson):
    assert lesson.ask("CARPETA.is_relative_to(Path.cwd())") is False
