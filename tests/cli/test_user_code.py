"""The user's file is run as Python would run it, its output stays out of the product, and it cannot fake success."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

END = "\nfrom dockdsl import Dockerfile, Stage\ndockerfile = Dockerfile(Stage('scratch'))\n"
PRODUCT = "FROM scratch\n"


def run(text: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Render a file with this text."""
    path = folder / "a.b.py"
    path.write_text(text + END)
    return subprocess.run(
        [sys.executable, "-m", "dockdsl", path, *options], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import pickle\nclass C: pass\nassert type(pickle.loads(pickle.dumps(C()))) is C", id="pickle"),
        *[
            pytest.param(
                "import multiprocessing\ndef double(x): return 2 * x\n"
                "if multiprocessing.current_process().name == 'MainProcess':\n"
                f"    with multiprocessing.get_context({how!r}).Pool(1) as pool:\n"
                "        assert [2, 4] == pool.map(double, [1, 2])",
                id=how,
            )
            for how in ("fork", "spawn", "forkserver")
        ],
        pytest.param(
            "import dataclasses, typing\n@dataclasses.dataclass\nclass C:\n    x: 'C | None' = None\n"
            "typing.get_type_hints(C)",
            id="annotations",
        ),
        pytest.param("import os\nif os.fork() == 0: os._exit(0)\nos.wait()", id="a child that ends"),
        pytest.param("import subprocess\nsubprocess.run(['true'], check=True)", id="another program"),
        pytest.param("assert __name__ != '__main__'", id="no main program"),
        pytest.param("import threading\nthreading.Timer(0.2, int).start()", id="a thread that ends"),
        pytest.param("import concurrent.futures as f\nf.ThreadPoolExecutor().submit(int)", id="a pool that waits"),
    ],
)
def test_it_runs_as_under_python(text: str, tmp_path: Path) -> None:
    """What finds a class or a function by the name of its module finds those of the file."""
    done = run(text, tmp_path)

    assert (0, PRODUCT, "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("print('said')", id="print"),
        pytest.param("import sys\nprint('said', file=sys.__stdout__, flush=True)", id="the first stdout"),
        pytest.param("import os\nos.write(1, b'said')", id="the descriptor"),
        pytest.param("import atexit\natexit.register(print, 'said')", id="at the end"),
        pytest.param("import atexit, os\natexit.register(os.system, 'echo said')", id="a child at the end"),
        pytest.param(
            "import threading, time\n"
            "threading.Thread(target=lambda: (time.sleep(1), print('said')), daemon=False).start()",
            id="a thread",
        ),
        pytest.param("import subprocess\nsubprocess.Popen(['sh', '-c', 'sleep 1; echo said']).wait()", id="a child"),
        pytest.param("import logging, sys\nlogging.basicConfig(stream=sys.stdout)\nlogging.error('said')", id="a log"),
    ],
)
def test_what_it_prints_is_not_in_the_product(text: str, tmp_path: Path) -> None:
    """Whatever it prints, whenever and by whatever way, goes to stderr."""
    done = run(text, tmp_path)

    assert (0, PRODUCT) == (done.returncode, done.stdout)
    assert "said" in done.stderr


@pytest.mark.parametrize("options", [[], ["--check"], ["-o", "Dockerfile"]], ids=" ".join)
@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import os\nos._exit(0)", "a.b.py:2: error: os._exit ended the program before the command was done; guard it"),
        ("import os, sys\nos.execvp('true', ['true'])", "a.b.py:2: error: os.execv ended the program"),
        ("import os\nos.execle('/bin/true', 'true', {})", "a.b.py:2: error: os.execve ended the program"),
        (
            "import os, threading, time\nthreading.Thread(target=os._exit, args=[0]).start()\ntime.sleep(60)",
            "os._exit ended the program",
        ),
        ("import sys\nsys.exit(0)", "a.b.py:2: error: the file ended the program (exit 0)"),
        ("raise SystemExit", "a.b.py:1: error: the file ended the program (exit 0)"),
    ],
)
def test_an_end_of_its_own_is_no_success(text: str, what: str, options: list[str], tmp_path: Path) -> None:
    """A file that ends the process before anything was done fails, with its line."""
    done = run(text, tmp_path, *options)

    assert (2, "") == (done.returncode, done.stdout)
    assert what in done.stderr


def test_the_end_of_the_process_does_not_change_the_result(tmp_path: Path) -> None:
    """Drift stays an error when the file has registered for the end what ends the process with success."""
    text = "import atexit, os\natexit.register(os._exit, 0)"

    assert 1 == run(text, tmp_path, "--check").returncode
    assert (0, PRODUCT) == ((done := run(text, tmp_path)).returncode, done.stdout)


@pytest.mark.parametrize(
    ("text", "what", "arguments", "product"),
    [
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,), name='é').start()",
            "é",
            ["check", "--format=json"],
            "[]\n",
        ),
        (
            "import multiprocessing as m, time\nm.get_context('fork').Process(target=time.sleep, args=(1e6,), name='é').start()",
            "é",
            ["render"],
            PRODUCT,
        ),
        (
            "import atexit, threading, time\natexit.register(time.sleep, 1e6)",
            "what the file started",
            ["render"],
            PRODUCT,
        ),
    ],
)
def test_what_does_not_end_is_not_waited_for(
    text: str, what: str, arguments: list[str], product: str, tmp_path: Path
) -> None:
    """The command ends with its product and its exit code, and says what it did not wait for."""
    path = tmp_path / "a.py"
    path.write_text(text + END)
    command = [sys.executable, "-m", "dockdsl", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (0, product) == (done.returncode, done.stdout)
    assert done.stderr == (
        f"{what} did not end within 5 s, and the program ended without it; let it end, or make it a daemon\n"
    )
