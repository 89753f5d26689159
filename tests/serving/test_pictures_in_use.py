"""Pictures reach a saved model as Keras reads them: from a folder, in a request, as bytes."""

import base64
import io
import resource
import struct
import zlib
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from in_a_loop import asked
from mlflow.models import Model
from PIL import Image
from scipy.special import softmax
from sklearn.metrics import f1_score

from src.data.images.preprocessing import ImagePreprocessing
from src.errors import UserError
from src.predict import main as predict
from src.saved_model.facts import ServingFacts
from src.serving import bodies
from src.serving.find import find_model
from src.serving.server import make_app
from src.tracking.logged_model import signature

SHAPE = (6, 5, 3)
NAMES = ("cat", "dog")
RNG = np.random.default_rng(0)
KERNEL, BIAS = RNG.normal(size=(90, 2)) / 5, np.array([0.1, -0.1])
OFFSETS = (0.0, 0.4)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a linear network of pictures, as a run's model is logged."""
    path = tmp_path_factory.mktemp("model")
    images = ImagePreprocessing("pictures", SHAPE[:2], "rgb")
    facts = ServingFacts(NAMES, OFFSETS, SHAPE, None, None, prior_offsets=(0, 0), images=images)
    facts.save(path)
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2)]
    network = keras.Sequential(layers)
    network.layers[-1].set_weights([KERNEL, BIAS])
    network.save(path / "model.keras")
    described = Model(signature=signature(facts))
    described.add_flavor("python_function", loader_module="none", code="code")
    described.save(str(path / "MLmodel"))
    return str(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pictures of every form and size, below folders named like classes; and what is none."""
    monkeypatch.chdir(tmp_path)
    forms = {"a.png": "RGB", "b.JPG": "RGB", "c.bmp": "L", "d.gif": "P", "e.jpeg": "L"}
    for kind, size in (("cat", (9, 14)), ("dog", (40, 31))):
        (tmp_path / "new" / kind / "of" / kind).mkdir(parents=True)
        for name, mode in forms.items():
            pixels = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(f"new/{kind}/of/{kind}/{name}")
    for name in ("notes.txt", ".hidden.png", "cat/Thumbs.db"):
        Path("new", name).write_text("no picture")
    return Path("new")


def expected(files):
    """Probabilities by Keras's own reading and NumPy."""
    read = {"color_mode": "rgb", "target_size": SHAPE[:2], "interpolation": "bilinear"}
    pictures = [keras.utils.img_to_array(keras.utils.load_img(file, **read)) for file in files]
    logits = np.array(pictures).reshape(-1, 90) / 255 @ KERNEL + BIAS
    return softmax(logits, axis=1), np.array(NAMES)[(logits + OFFSETS).argmax(axis=1)]


def same(found, files):
    probabilities, classes = expected(files)
    names = ["probability_cat", "probability_dog"]
    np.testing.assert_allclose(found[names], probabilities, rtol=0, atol=1e-6)
    assert found["class"].tolist() == classes.tolist()


def test_a_folder_is_predicted_as_keras_reads_it(model, folder, capsys):
    predict([str(folder), "--model", model, "-o", "out.csv"])
    found, said = pd.read_csv("out.csv"), capsys.readouterr().out
    pictures = [file for file in folder.rglob("*/of/*/*") if file.is_file()]
    assert found["file"].tolist() == sorted(str(file.relative_to(folder)) for file in pictures)
    same(found, [folder / name for name in found["file"]])
    truth = [name.split("/")[0] for name in found["file"]]
    score = f1_score(truth, found["class"], average="macro")
    assert "10 pictures predicted in " in said
    assert f"macro F1 over 10 pictures with a known class: {score:.4f}" in said
    assert "Not used: cat/Thumbs.db, notes.txt" in said


def test_one_picture_is_a_folder_of_one_and_has_no_label(model, folder, capsys):
    predict([f"{folder}/dog/of/dog/b.JPG", "--model", model, "-o", "out.csv"])
    found = pd.read_csv("out.csv")
    assert found["file"].tolist() == ["b.JPG"]
    same(found, [folder / "dog/of/dog/b.JPG"])
    assert "macro F1" not in capsys.readouterr().out


def test_a_damaged_picture_is_refused_by_name_or_left_out_and_told(model, folder, capsys):
    damaged = folder / "dog/of/dog/b.JPG"
    damaged.write_bytes(damaged.read_bytes()[:400])
    with pytest.raises(UserError, match=r"new/dog/of/dog/b\.JPG: .*damaged or cut short"):
        predict([str(folder), "--model", model, "-o", "out.csv"])
    assert not Path("out.csv").exists()
    predict([str(folder), "--model", model, "-o", "out.csv", "--skip-damaged"])
    assert "Damaged, left out: dog/of/dog/b.JPG" in capsys.readouterr().out
    found = pd.read_csv("out.csv")
    assert len(found) == 9
    same(found, [folder / name for name in found["file"]])


def test_no_link_is_followed_out_of_the_folder(model, folder, tmp_path, capsys):
    Path("new").rename("secret")
    folder.mkdir()
    Path("secret/cat/of/cat/a.png").rename("new/a.png")
    Path("new/in.png").symlink_to("a.png")
    Path("new/out.png").symlink_to(tmp_path / "secret/dog/of/dog/a.png")
    Path("new/all").symlink_to(tmp_path / "secret")
    predict(["new", "--model", model, "-o", "out.csv"])
    assert pd.read_csv("out.csv")["file"].tolist() == ["a.png", "in.png"]
    assert "Not used: all, out.png" in capsys.readouterr().out


def test_what_a_model_does_not_take_is_said_in_one_message(model, folder, in_use):
    Path("rows.csv").write_text("image\nx\n")
    with pytest.raises(UserError, match=r"rows\.csv: .* takes pictures: a folder of PNG"):
        predict(["rows.csv", "--model", model, "-o", "out.csv"])
    words = ["--model", str(in_use.folder), "-o", "out.csv", "--trust-code"]
    with pytest.raises(UserError, match=r"new: holds pictures; .* takes a table"):
        predict(["new", *words])
    with pytest.raises(UserError, match=r"cat: holds no file that ends in \.png"):
        Path("empty/cat").mkdir(parents=True)
        predict(["empty/cat", "--model", model, "-o", "out.csv"])
    for missing in ("elsewhere", "elsewhere.png"):
        with pytest.raises(UserError, match=rf"{missing}: does not exist \(looked from "):
            predict([missing, "--model", model, "-o", "out.csv"])


def test_an_option_that_would_change_nothing_is_refused(model, folder):
    of_tables = ("--keep id", "--ignore-extra", "--header", "--no-header", "--encoding cp1252")
    wrong = [f"new {option}" for option in of_tables] + ["new/cat/of/cat/a.png --delimiter tab"]
    wrong += ["rows.npz --no-header", "rows.parquet --delimiter tab", "rows.csv --skip-damaged"]
    for rows, option, *value in map(str.split, [*wrong, "rows.npz --skip-damaged"]):
        with pytest.raises(UserError, match=f"{option}: does not go with .*{rows}.* Right there: "):
            predict([rows, option, *value, "--model", model, "-o", "out.csv"])


@pytest.mark.parametrize("others", [(), ("x_train", "y_train", "y_test")], ids=["x", "Keras's"])
def test_pixels_in_an_array_are_those_of_the_pictures(model, folder, others, capsys):
    files = sorted(folder.rglob("*/of/*/*"))
    read = {"color_mode": "rgb", "target_size": SHAPE[:2], "interpolation": "bilinear"}
    pixels = [np.array(keras.utils.load_img(file, **read)) for file in files]
    arrays = dict.fromkeys(others, np.zeros((1, *SHAPE), np.uint8))
    np.savez("rows.npz", **arrays, **{"x_test" if others else "x": np.array(pixels)})
    predict(["rows.npz", "--model", model, "-o", "out.csv"])
    same(pd.read_csv("out.csv"), files)
    said = capsys.readouterr().out
    assert "10 pictures predicted" in said
    assert ("Not used: x_train\n" in said) == bool(others)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            {"x_train": SHAPE, "y_train": ()},
            "'x_test' alone to predict.* holds 'x_train', 'y_train'",
        ),
        ({"x_train": SHAPE, "x_test": (9, *SHAPE[1:])}, r"'x_test' has rows of shape \(9, 5, 3\)"),
        ({"pictures": SHAPE}, r"'x' alone to predict\); it holds 'pictures'"),
    ],
)
def test_a_file_without_the_right_array_is_told_what_it_holds(model, folder, arrays, said):
    zeros = {name: np.zeros((2, *shape), np.uint8) for name, shape in arrays.items()}
    np.savez("rows.npz", **zeros)
    with pytest.raises(UserError, match=rf"rows\.npz: .*{said}"):
        predict(["rows.npz", "--model", model, "-o", "out.csv"])


@pytest.fixture(scope="module")
def ask(model):
    """Asks the app that is served; gives the status, and the answer or the message."""
    return partial(asked, make_app(find_model(model, "", None)))


def text(file):
    content = file if isinstance(file, bytes) else file.read_bytes()
    return base64.b64encode(content).decode()


def test_every_form_of_request_gets_the_answer_of_the_folder(ask, folder):
    files = sorted(folder.rglob("*/of/*/*"))
    rows = [{"image": text(file)} for file in files]
    wrapped = [{"image": base64.encodebytes(file.read_bytes()).decode()} for file in files]
    split = {"columns": ["image"], "data": [[row["image"]] for row in rows]}
    for body in (
        {"dataframe_records": rows},
        {"dataframe_split": split},
        {"inputs": rows},
        {"instances": wrapped},
    ):
        status, answer = ask(body)
        assert status == 200, answer
        same(pd.DataFrame(answer["predictions"]), files)
    status, answer = ask({"dataframe_records": rows, "params": {"decision": "argmax"}})
    most_probable = np.array(NAMES)[expected(files)[0].argmax(axis=1)]
    assert [row["class"] for row in answer["predictions"]] == most_probable.tolist()


def png(width, height, share=1.0):
    """A PNG of one bit a pixel, all black; whole where `share` is 1, else cut short."""

    def chunk(kind, content):
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    size, block = height * (1 + (width + 7) // 8), 4_000_000
    packer, last = zlib.compressobj(9, wbits=-15), zlib.compressobj(9, wbits=-15)
    part = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = last.compress(bytes(size % block)) + last.flush()
    adler = struct.pack(">I", size % 65521 << 16 | 1)
    data = b"\x78\x9c" + part * (size // block) + end + adler
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)
    return (whole + chunk(b"IEND", b""))[: int(share * len(whole)) + 12]


@pytest.mark.parametrize("share", [1, 0.01], ids=["whole", "of a few KB"])
def test_a_huge_picture_in_a_small_file_is_refused_before_it_is_decoded(ask, share):
    """Decoded it would take 3.6 GB; the whole file is right to the last byte."""
    content = png(60_000, 60_000, share)
    assert len(content) < (500_000 if share == 1 else 6_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, answer = ask({"dataframe_records": [{"image": text(content)}]})
    assert status == 400
    assert "row 1, column 'image': " in answer["message"]
    assert "pixels by its header, so it was not decoded" in answer["message"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_pictures_that_are_too_many_together_are_refused_before_one_is_decoded(ask, monkeypatch):
    large = {"image": text(png(8_000, 6_000))}
    assert ask({"dataframe_records": [large]})[0] == 200
    cut = {"image": text(png(8_000, 6_000, 0.5))}
    assert ask({"dataframe_records": [cut]})[0] == 400
    status, answer = ask({"dataframe_records": [cut] * 3})
    assert status == 413
    assert "more than 100,000,000 pixels" in answer["message"]
    monkeypatch.setattr(bodies, "MOST_VALUES", 3 * 90)
    small = {"image": text(png(8, 8))}
    assert ask({"dataframe_records": [small] * 3})[0] == 200
    assert ask({"dataframe_records": [small] * 4})[0] == 413


def many_scans():
    """A progressive JPEG whose last pass is there a thousand times."""
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    last, end = content.rfind(b"\xff\xda"), content.rfind(b"\xff\xd9")
    return content[:end] + content[last:end] * 1000 + content[end:]


def tiff():
    stream = io.BytesIO()
    Image.new("L", (4, 4)).save(stream, "TIFF")
    return stream.getvalue()


WRONG = {
    "no base64": ({"image": "secret!"}, 400, "row 2, column 'image': is no base64 text"),
    "no picture": ({"image": text(b"secret")}, 400, "is no PNG, JPEG, BMP or GIF picture"),
    "another format": ({"image": text(tiff())}, 400, "is no PNG, JPEG, BMP or GIF picture"),
    "many passes": ({"image": text(many_scans())}, 400, "a JPEG of more than 500 scans"),
    "empty": ({"image": ""}, 400, "is empty"),
    "cut short": ({"image": text(png(800, 800)[:60])}, 400, "damaged or cut short"),
    "a gap": ({"image": None}, 400, "row 2, column 'image'"),
    "a number": ({"image": 5}, 400, "int is no picture"),
    "a list": ({"image": ["x"]}, 400, "list is no picture"),
    "a path": ({"image": "/etc/passwd"}, 400, "row 2, column 'image': is no"),
    "another column": ({"picture": "x"}, 400, "row 2, column 'image'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_picture_gets_a_4xx_with_its_row_and_a_reason(ask, name):
    row, status, reason = WRONG[name]
    found, answer = ask({"dataframe_records": [{"image": text(png(8, 8))}, row]})
    assert (found, reason in answer["message"]) == (status, True), answer
    assert "secret" not in answer["message"]


def test_other_kinds_of_bodies_are_refused(ask):
    for kind in ("text/csv", "application/vnd.apache.parquet"):
        assert ask(b"image\nx", kind)[0] == 415


def test_python_gives_bytes(model, folder, monkeypatch):
    from src.saved_model.predictor import Predictor

    files = sorted(folder.rglob("*/of/*/*"))
    rows = pd.DataFrame({"image": [file.read_bytes() for file in files]})
    same(Predictor.load(Path(model)).predict(rows), files)
