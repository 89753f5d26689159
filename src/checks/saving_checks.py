"""Checks that a component survives saving: configs that come back, files that load."""

import contextlib
import inspect
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras

from src.checks.attributes import lost
from src.checks.closeness import shown
from src.checks.construct import Recipe, parameters_of
from src.checks.language import say
from src.checks.messages import one_line
from src.checks.registry import DoesNotApply, Fails, Warns, check, failing
from src.checks.subject import Subject

_NOT_ALTERED = {"name", "dtype", "reduction", "trainable", "seed", "inputs", "outputs"}


@check("loss", "metric", "layer")
def config_round_trips(subject: Subject[Any]) -> str:
    """`from_config(get_config())` gives the same component, whatever its arguments."""
    if subject.is_function:
        raise DoesNotApply("a function has no config; a saved model names it")
    changes = [{}, *_alterations(subject.recipe)]
    for change in changes:
        made = subject.make(**change)
        copy = _copy_by_config(made)
        arguments = change or say("its defaults")
        missing = lost(made, copy)
        if missing:
            raise Fails("made with {}, the copy differs: {}", arguments, missing[0])
        try:
            differs = subject.outputs_differ(made, copy)
        except Exception:
            if not change:
                raise
            continue  # an altered argument may not fit the data
        if differs:
            raise Fails("made with {}, the copy gives another result", arguments)
    names = ", ".join(name for change in changes for name in change) or say("no argument")
    return say("the copy is the same, {} altered", names)


def _alterations(recipe: Recipe) -> list[dict[str, Any]]:
    """Arguments not at their defaults, where one that the config forgets shows: those it takes."""
    found = []
    for name, parameter in parameters_of(recipe.source).items() if recipe.is_class else ():
        default = recipe.arguments.get(name, parameter.default)
        if name not in _NOT_ALTERED and isinstance(default, bool | int | float):
            change = {name: _other(default)}
            with contextlib.suppress(Exception):  # the value is not one it takes
                recipe.make(**change)
                found.append(change)
    return found


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value / 2 if value else 0.25


def _copy_by_config(component: Any) -> Any:
    """The component made anew from its config, through JSON as in a saved file."""
    name = type(component).__name__
    with failing("get_config"):
        config = keras.saving.serialize_keras_object(component)
    try:
        text = json.dumps(config)
    except (TypeError, ValueError) as error:
        raise Fails("get_config of {} holds what JSON cannot: {}", name, error) from error
    objects = _objects_beside(type(component))
    with (
        failing(say("{}.from_config(get_config())", name)),
        keras.saving.custom_object_scope(objects),
    ):
        return keras.saving.deserialize_keras_object(json.loads(text))


def _objects_beside(component: type) -> dict[str, Any]:
    """The class and the other custom classes of its module, by name, for `custom_objects`."""
    module = sys.modules.get(component.__module__)
    plain = {
        value.__name__: value
        for value in [*reversed(vars(module).values()), component]
        if inspect.isclass(value)
        and hasattr(value, "get_config")
        and not value.__module__.startswith("keras.")
    }
    return plain | {keras.saving.get_registered_name(value): value for value in plain.values()}


@check("layer", "model")
def saves_and_loads(subject: Any) -> str:
    """In a saved model it loads with `custom_objects`, and predicts the same."""
    made, model, x = subject.in_saved_model()
    with failing("load_model"):
        loaded = _saved_and_loaded(model, _objects_beside(type(made)))
    if type(loaded).__name__ != type(model).__name__:
        raise Fails("saved a {}, loaded a {}", type(model).__name__, type(loaded).__name__)
    missing = [text for text in lost(model, loaded) if text.split(":")[0] in subject.parameters]
    if missing:
        raise Fails("the loaded model differs: {}", missing[0])
    before, after = model(x, training=False), loaded(x, training=False)
    if subject.differ(before, after):
        raise Fails("predicts {} before, {} after loading", shown(before), shown(after))
    return say("{} before and after", shown(before))


@check("layer", "model")
def loads_without_custom_objects(subject: Any) -> str:
    """A saved model with it loads without `custom_objects`."""
    made, model, _ = subject.in_saved_model()
    try:
        _saved_and_loaded(model, None)
    except Fails as failure:
        raise DoesNotApply("it does not save, see saves_and_loads") from failure
    except Exception as error:
        raise Warns(
            "only with custom_objects={{'{}': ...}}: {}", type(made).__name__, one_line(error)
        ) from error
    return say("by its registration")


def _saved_and_loaded(model: Any, objects: dict[str, Any] | None) -> Any:
    """A model after a round trip through a file; raises what loading raised."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        with failing("model.save()"):
            model.save(file)
        return keras.saving.load_model(file, custom_objects=objects, compile=False)
