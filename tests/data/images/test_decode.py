"""A picture becomes the numbers that Keras reads, or those that people see; else it is refused."""

import io
import struct
import tracemalloc
import zlib
from itertools import product

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from src.data.errors import DataError
from src.data.images.decode import LARGEST_FILE, conversions, decode, open_picture

RNG = np.random.default_rng(0)
SHAPE = (20, 31)
PIXELS = RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
FORMS = [
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
    *(("GIF", mode) for mode in ("L", "P")),
]


def encoded(image, kind, **more):
    stream = io.BytesIO()
    image.save(stream, kind, **more)
    return stream.getvalue()


def by_keras(content, color, size):
    image = keras.utils.load_img(
        io.BytesIO(content), color_mode=color, target_size=size, interpolation="bilinear"
    )
    return keras.utils.img_to_array(image)


@pytest.mark.parametrize(("kind", "mode"), FORMS)
def test_every_form_is_read_and_resized_as_keras_does(kind, mode, tmp_path):
    content = encoded(Image.fromarray(PIXELS).convert(mode), kind)
    file = tmp_path / "picture"  # whose name says nothing of its form
    file.write_bytes(content)
    for color in ("grayscale", "rgb"):
        for size in (None, SHAPE, (7, 9), (64, 50)):
            found = decode(file, size=size, color=color)
            np.testing.assert_array_equal(found, by_keras(content, color, size))
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(decode(content, size=size, color=color), found)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_lie_over_white(mode):
    alpha = RNG.integers(0, 256, SHAPE, dtype=np.uint8)
    if mode == "P":
        image, alpha = Image.fromarray(PIXELS).convert("P"), None
        content = encoded(image, "PNG", transparency=image.getpixel((0, 0)))
    else:
        image = Image.fromarray(PIXELS).convert(mode)
        image.putalpha(Image.fromarray(alpha))
        content = encoded(image, "PNG")
    white = Image.new("RGB", SHAPE[::-1], "white")
    seen = Image.open(io.BytesIO(content)).convert("RGBA")
    white.paste(seen, mask=seen)  # Pillow's own way to lay one over another, to a rounding
    found = decode(content, size=None, color="rgb")
    np.testing.assert_allclose(found, np.asarray(white), atol=1)
    assert conversions(open_picture(content, "a")) == ["with transparent pixels, laid over white"]


def test_of_sixteen_bits_the_upper_eight_are_kept_and_none_is_lost_unsaid():
    values = RNG.integers(0, 65536, SHAPE).astype(np.uint16)
    content = encoded(Image.fromarray(values), "PNG")
    np.testing.assert_array_equal(
        decode(content, size=None, color="grayscale")[..., 0], values >> 8
    )
    assert (by_keras(content, "rgb", None) != decode(content, size=None, color="rgb")).any()
    assert "16 bits" in conversions(open_picture(content, "a"))[0]
    clear = encoded(Image.fromarray(values), "PNG", transparency=int(values[3, 4]))
    seen = np.where(values == values[3, 4], 255, values >> 8)
    np.testing.assert_array_equal(decode(clear, size=None, color="rgb")[..., 2], seen)
    dim = encoded(Image.fromarray(values >> 8), "PNG")
    with pytest.raises(DataError, match=r"16 bits per pixel, of which it uses 0 to 25\d; nothing"):
        decode(dim, size=None, color="grayscale")


@pytest.mark.parametrize(("kind", "mode"), FORMS)
def test_what_is_cut_short_is_refused_or_has_all_its_pixels(kind, mode):
    content = encoded(Image.fromarray(PIXELS).convert(mode), kind)
    whole = decode(content, size=None, color="rgb")
    refused = 0
    for length in {*range(0, len(content), 13), *range(len(content) - 24, len(content))}:
        try:
            found = decode(content[:length], size=None, color="rgb")
        except DataError:
            refused += 1
        else:
            np.testing.assert_array_equal(found, whole)
    assert refused > len(content) // 13


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FORMS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=9)
)
def test_damaged_bytes_give_an_array_or_one_message(form, changes):
    kind, mode = form
    content = bytearray(encoded(Image.fromarray(PIXELS).convert(mode), kind))
    for where, value in changes:
        content[int(where * (len(content) - 1))] = value
    try:
        found = decode(bytes(content), size=(8, 8), color="rgb")
    except DataError as error:
        assert str(error).startswith("the picture: ")
    else:
        assert found.shape == (8, 8, 3)


def png_of(width, height):
    """A header that promises these pixels, and some data."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100_000))
    chunks = [
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one))
        for one in (header, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("kind", "sides"),
    [
        *product(["PNG", "BMP", "GIF", "JPEG"], [(60_000, 60_000), (10_000, 9_000)]),
        ("PNG", (50_000_001, 1)),
    ],
)
@pytest.mark.filterwarnings("error")  # Pillow warns from 89 megapixels on
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(kind, sides):
    width, height = sides
    if kind == "PNG":
        content = png_of(width, height)
    else:
        content = bytearray(encoded(Image.fromarray(PIXELS).convert("L"), kind))
        at, form, order = {
            "BMP": (18, "<ii", (width, height)),
            "GIF": (6, "<HH", (width, height)),
            "JPEG": (content.find(b"\xff\xc0") + 5, ">HH", (height, width)),
        }[kind]
        struct.pack_into(form, content, at, *order)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"pixels by its header, so it was not decoded; 50,000,000"):
        decode(bytes(content), size=(8, 8), color="rgb")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_files_that_are_no_pictures_are_refused_by_name(tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as stream:
        stream.truncate(LARGEST_FILE + 1)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(PIXELS).save(tmp_path / "other.tiff")
    for name, words in {
        "large.png": "has 67,108,865 bytes; 67,108,864 are the most",
        "empty.png": "is empty",
        "text.png": "is no PNG, JPEG, BMP or GIF picture",
        "other.tiff": "is no PNG, JPEG, BMP or GIF picture",
        "missing.png": "is no file",
        ".": "is no file",
    }.items():
        with pytest.raises(DataError, match=words) as caught:
            decode(tmp_path / name, size=None, color="rgb")
        assert str(caught.value).startswith(str(tmp_path / name))
