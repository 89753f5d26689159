"""``python -m src.ui`` before it starts a server: what it refuses, and what it names."""

import socket

import pytest

from src.errors import UserError
from src.ui import _say_where, main


def test_without_a_store_it_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match=r"no store yet; python train\.py makes the first run"):
        main(["--root", str(tmp_path)])


def test_a_server_is_opened_in_a_browser_and_not_served_again():
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9: is a server already"):
        main(["--uri", "http://127.0.0.1:9"])


def test_a_port_that_is_taken_or_none_is_named_with_the_way_out(made):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"--port {port}: .*in use.*make ui PORT={port + 1}"):
            main(["--root", str(made.root), "--port", str(port)])
    with pytest.raises(UserError, match="--port 99999"):
        main(["--root", str(made.root), "--port", "99999"])


def test_without_a_sweep_it_names_the_front_page(capsys):
    _say_where("http://127.0.0.1:5000/", None)
    assert capsys.readouterr().out.startswith("MLflow UI: http://127.0.0.1:5000/ (no sweep yet")
