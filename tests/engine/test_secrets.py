"""A secret stands in nothing that is written: logs, checks of answers and files, JSON, JUnit, errors, tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.helpers import BUSYBOX

pytestmark = pytest.mark.engine

FILE = """
from dockdsl import *

server = Stage({base!r}, "server", steps=[
    Arg("NONCE", {nonce!r}),
    Run.script('''
        cat /run/secrets/s
        mkdir -p /www
        cp /run/secrets/s /www/s
        (base64 /www/s; od -c /www/s | head -1) > /dev/null
    ''', mounts=[Secret("s", required=True)]),
    Cmd.exec("sh", "-c", "cat /www/s; cat /www/s >&2; exec httpd -f -p 8080 -h /www"),
])
image = Image(Dockerfile(server), port=8080, secrets="id=s,src=" + {path!r}, checks=[
    HttpCheck("GET", "/s", body="^nothing$"),
    HttpCheck("GET", "/s", json={{"a": 1}}, headers={{"Content-Length": "0"}}),
    FileCheck("/www/s", text="x", content="^nothing$", no_content="(?s).+"),
    CommandCheck(["cat", "/www/s"], stdout_text="x", stdout="^nothing$", no_stdout="(?s).+"),
    CommandCheck(["sh", "-c", "cat /www/s >&2; exit 1"]),
    CommandCheck(["sh", "-c", "base64 /www/s; exit 1"]),
])
"""
SECRETS = {
    "short": "q7",
    "a line": "hunter22-and-more\n",
    "lines": "-----BEGIN-----\nMIIEvQIBADANBgkqhkiG9w0B\nabc-5\n-----END-----\n",
    "quotes": "p\\w\"d'é <&> 7",
    "long": "secret0123456789" * 60,
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
def test_a_secret_in_an_image_is_in_no_report(secret: str, options: list[str], tmp_path: Path) -> None:
    """Whatever prints it, and wherever a check finds it, asterisks are written in its place."""
    path, source, junit = (tmp_path / name for name in ("s", "f.py", "j.xml"))
    path.write_text(secret)
    source.write_text(FILE.format(base=BUSYBOX, path=str(path), nonce=os.urandom(8).hex()))
    done = subprocess.run(
        [sys.executable, "-m", "dockdsl", "test", source, "--junit", junit, "--progress", "plain", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert 1 == done.returncode, done.stderr
    for text in (done.stdout, done.stderr, junit.read_text()):
        assert "***" in text
        for line in secret.splitlines():
            # What else may have two letters: digests and tags of other things.
            assert f" {line}" not in text.replace(str(tmp_path), "")
            assert len(line) < 4 or line not in text
            assert len(line) < 16 or not [at for at in range(0, len(line) - 16, 8) if line[at : at + 12] in text]


TRACEBACK = """
import os
from dockdsl import *

def test_it():
    stage = Stage({base!r}, "s", steps=[
        Run({command!r}, mounts=[Secret("s", required=True)]),
    ])
    checks = [
        CommandCheck(["x"], env={{"TOKEN": os.environ["DOCKDSL_TEST_OTHER"]}}),
        HttpCheck("GET", "/", send_headers={{"Authorization": os.environ["DOCKDSL_TEST_OTHER"]}}),
    ]
    image = Image(
        Dockerfile(stage), secrets={secret!r}, tags="x:y", env={{"T": os.environ["DOCKDSL_TEST_OTHER"]}}, port=1, checks=checks
    )
    image.test({options})
"""


@pytest.mark.parametrize("secret", ["id=s,src={path}", "id=s,env=DOCKDSL_TEST_SECRET"], ids=["file", "variable"])
@pytest.mark.parametrize(
    ("command", "options"),
    [
        pytest.param("cat /run/secrets/s; exit 1", "", id="a step that fails"),
        pytest.param("cat /run/secrets/s; sleep 100", "request=image.request(timeout=10)", id="a step without end"),
        pytest.param("cat /run/secrets/s", "progress=lambda event: 1 / 0", id="a fault in the user's own function"),
    ],
)
def test_a_secret_is_in_no_traceback(secret: str, command: str, options: str, tmp_path: Path) -> None:
    """A traceback that shows the variables of each frame, as pytest's, has no secret in it."""
    path, source = tmp_path / "s", tmp_path / "test_it.py"
    path.write_text("hunter22-and-more\n")
    command = f"{command} # {os.urandom(8).hex()}"
    source.write_text(TRACEBACK.format(base=BUSYBOX, command=command, secret=secret.format(path=path), options=options))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--showlocals", "-vvv", "--tb=long", "-p", "no:cacheprovider", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"DOCKDSL_TEST_SECRET": "hunter22-and-more", "DOCKDSL_TEST_OTHER": "hunter33"},
    )

    assert 1 == done.returncode
    assert "request" in done.stdout
    # What the values of the user's own objects are is shown by name alone.
    assert "hunter33" not in done.stdout + done.stderr
    assert "hunter22" not in done.stdout + done.stderr
