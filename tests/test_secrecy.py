"""Secrets are found in text in whatever form they are written there."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import sys
import urllib.parse
from collections.abc import Callable

import pytest

from dockdsl.secrecy import HIDDEN

WHOLE = "p\\w\"d'é %/+ 7"
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "within a word": lambda secret: f"x{secret}x",
    "Python": repr,
    "JSON": json.dumps,
    "JSON with other characters": lambda secret: json.dumps(secret, ensure_ascii=False),
    "a URL": urllib.parse.quote,
    "a part of a URL": lambda secret: urllib.parse.quote(secret, safe=""),
    "a form": urllib.parse.quote_plus,
    "a shell": shlex.quote,
    "a trace of a shell": lambda secret: "'" + secret.replace("'", "'\\''") + "'",
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 of more": lambda secret: base64.b64encode(f"u:{secret}:x".encode()).decode(),
    "base64 of still more": lambda secret: base64.b64encode(f"us:{secret}:x".encode()).decode(),
    "colours": lambda secret: f"{secret[:3]}\x1b[1;31m{secret[3:]}",
}


def hidden(secrets: list[str], text: str, call: str = "hide") -> str:
    """Return what becomes of a text in a process that knows these secrets."""
    code = f"import json, sys; from dockdsl.secrecy import *; from dockdsl.display import *; remember({secrets!r})\n"
    code += f"print(json.dumps(({call})(json.loads(sys.stdin.read()))))"
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(text), capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_hidden(form: Callable[[str], str]) -> None:
    """A secret is hidden within the quotes and escapes of what writes it, and in base64."""
    found = hidden([WHOLE], f"before {form(WHOLE)} after")

    assert HIDDEN in found
    assert found.startswith("before ")
    assert found.endswith(" after")
    # Of base64, a character that says something of the neighbours as well may stay at each end.
    assert len(found.removeprefix("before ").removesuffix(" after")) <= len(HIDDEN) + 10
    assert not [at for at in range(len(WHOLE) - 3) if WHOLE[at : at + 4] in found]


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        pytest.param("k", "a k and ok", "a *** and o***", id="one character"),
        pytest.param("*", "* and ***", "*** and ***", id="an asterisk"),
        pytest.param("ab\n", "xabx", "x***x", id="with a newline at its end"),
        pytest.param("user\npw1\n", "user, pw1, xpw1", "***, ***, xpw1", id="lines, short ones as words"),
        pytest.param("{\n  'a': 'b12'\n}\n", "{ } 'a': 'b12'", "{ } ***", id="lines that say nothing"),
        pytest.param("abcdef\nabcdefgh", "abcdefgh", "***", id="the longer of two lines"),
        pytest.param(" \n", "a b", "a b", id="blank"),
        pytest.param("", "a b", "a b", id="empty"),
    ],
)
def test_what_is_hidden_of_a_secret(secret: str, text: str, expected: str) -> None:
    """A secret is hidden whatever its length, and each line of it; hiding twice is hiding once."""
    found = hidden([secret], text)

    assert expected == found == hidden([secret], found)


@pytest.mark.parametrize(
    "call", ["shown", "printable", "for_terminal", "one_line", "both_ends", "lambda text: cut(text, 20)", "repr"]
)
def test_what_is_cut_has_no_piece_of_a_secret(call: str) -> None:
    """Text is cut after it was hidden: where a secret would be cut, none of it is left."""
    code = "lambda text: shown(text.encode())" if call == "repr" else call
    for before in range(0, 110, 20):
        assert "hunt" not in hidden(["hunter22hunter22hunter22"], "." * before + "hunter22" * 300, code)


def test_many_lines_are_looked_for_as_fast_as_few() -> None:
    """The time for a text does not depend on how many lines a secret has."""
    code = (
        "import time; from dockdsl.secrecy import *\n"
        "text = 'abcdefgh ijkl ' * 2_000\n"
        "def took(count):\n"
        "    remember(['\\n'.join(f'{n:09} a line of a secret' for n in range(count))])\n"
        "    begin = time.process_time(); hide(text); return time.process_time() - begin\n"
        "few = took(500); print(took(20_000) / few)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)

    assert float(done.stdout) < 20


def test_a_debugger_does_not_see_it() -> None:
    """What shows the variables of frames, as pytest and rich do, shows no secret that dockdsl holds."""
    code = (
        "import traceback, sys; from dockdsl.secrecy import *; import dockdsl.secrecy\n"
        "remember(['hunter22'])\n"
        "print([repr(value) for value in vars(dockdsl.secrecy).values()])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "hunter22" not in done.stdout.replace("remember(['hunter22'])", "")
