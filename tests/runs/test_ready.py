"""What workers are copied from: all is imported, and nothing runs that a copy would lack."""

import json
import os
import subprocess
import sys
from pathlib import Path

from src.sweeps.pool import ONE_THREAD, PRELOADED

ROOT = Path(__file__).resolve().parents[2]
CODE = f"""
import json, signal, sys
from pathlib import Path
import {PRELOADED}
names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
loaded = [name for name in ("tensorflow", "mlflow", "src.engine.fit") if name in sys.modules]
print(json.dumps([names, loaded, signal.getsignal(signal.SIGINT) == signal.SIG_IGN]))
"""
RESTARTED = "jemalloc_bg_thd"
"""Arrow's allocator makes this thread anew in a copy."""


def test_it_has_imported_all_and_has_no_thread_of_its_own():
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=True,
    )
    threads, loaded, deaf = json.loads(done.stdout.splitlines()[-1])
    assert len([name for name in threads if name != RESTARTED]) == 1
    assert loaded == ["tensorflow", "mlflow", "src.engine.fit"]
    assert deaf  # to Ctrl-C
