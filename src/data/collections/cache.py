"""Where data sets that were fetched lie."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`imbalance-lab` in the user's cache folder, which `XDG_CACHE_HOME` moves."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "imbalance-lab"
