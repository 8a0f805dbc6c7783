"""Searching and decoding what an image says takes a bounded time, whatever the pattern and the text are."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockdsl import HttpCheck
from dockdsl.checks.judging import judged_text
from dockdsl.checks.searching import Searches, is_quick
from dockdsl.checks.smoke import smoke
from dockdsl.engine.fake import FakeResponse, FakeRunner
from dockdsl.engine.running import RunRequest
from dockdsl.errors import RunFailed

TEXT = "a" * 60 + "!"
ENDLESS = [
    "(a+)+$",
    "(?:a|aa)+$",
    "(a*)*b",
    "(?x) [a#]? (a+) + $ # ]",
    "(?x) # [\n (a+)+$ # ]",
    "(.*a){25}b",
    "(?:a?){60}a{60}b",
    r"(a|a|b\)?)+$",
    "a?" * 40 + "b",
    ".*.*.*.*.*.*.*.*.*b",
]


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_search_without_end_is_ended(pattern: str) -> None:
    """The check fails at the end of its time, and the message has a remedy."""
    begin = time.monotonic()
    with pytest.raises(RunFailed, match="took more than 1 s and was ended; write the pattern without"):
        Searches(1).first(pattern, TEXT)
    assert time.monotonic() - begin < 60


def test_the_time_holds_for_all_patterns_together() -> None:
    """What one search has taken, the next one has not."""
    searches = Searches(1)
    with pytest.raises(RunFailed):
        searches.first(ENDLESS[0], TEXT)
    with pytest.raises(RunFailed, match=r"took more than 0\.1 s"):
        searches.first(ENDLESS[0], TEXT)


SUBJECTS: dict[str, Any] = {
    "body": lambda: HttpCheck("GET", "/", body=ENDLESS[0], timeout=1).judge(200, {}, TEXT.encode()),
    "header": lambda: HttpCheck("GET", "/", headers={"x": re.compile(ENDLESS[0])}, timeout=1).judge(
        200, {"X": TEXT}, b""
    ),
    "text": lambda: list(judged_text("content", TEXT.encode(), [ENDLESS[0]], [], Searches(1).in_lines)),
    "absent": lambda: list(judged_text("content", TEXT.encode(), [], [ENDLESS[0]], Searches(1).in_lines)),
}


@pytest.mark.parametrize("judge", SUBJECTS.values(), ids=SUBJECTS)
def test_all_judging_is_bounded(judge: Any) -> None:
    """Whatever is searched for, it is within the time of the check."""
    with pytest.raises(RunFailed, match=r"the search for '\(a\+\)\+\$' took more than 1 s"):
        judge()


def test_it_is_a_failed_check() -> None:
    """A test goes on after it, and reports it as what it is."""
    checks = [HttpCheck("GET", "/", body=ENDLESS[0], timeout=1), HttpCheck("GET", "/")]
    runner = FakeRunner(lambda _: FakeResponse(body=TEXT.encode()))
    report = smoke(runner, RunRequest(image="x", ports=[80]), checks)
    assert [False, True] == [each.ok for each in report.results]


@example("a+", "baaa", 0)
@example("(a)|(b)", "b", 0)
@example("^x$", "a\nx\nb", re.MULTILINE)
@given(
    st.sampled_from(["a+b*", "(a+)?b", "(?P<n>a|b)+c", "[+*]a", r"\+a", "(?i)A+", "a{2,3}", r"(a)\1+", "x|y|z", "^$"]),
    st.text("abcxyz+*\n ", max_size=30),
    st.sampled_from([0, re.MULTILINE, re.IGNORECASE, re.DOTALL]),
)
def test_it_finds_what_python_finds(pattern: str, text: str, flags: int) -> None:
    """A process of its own finds the same as this one."""
    found = re.search(pattern, text, flags)
    expected = None if found is None else (found[0], *found.groups())

    assert expected == Searches().first(pattern, text, flags)
    assert expected == Searches().first(re.compile(pattern, flags), text)


@pytest.mark.parametrize("pattern", ENDLESS)
def test_what_may_take_long_is_never_quick(pattern: str) -> None:
    """The estimate errs on one side alone."""
    assert not is_quick(pattern, len(TEXT))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGALRM")
def test_a_search_ends_though_nobody_waits() -> None:
    """Where the program is killed outright, the search of its ends by itself, soon after its time."""
    code = f"from dockdsl.checks.searching import *; print(flush=True); Searches(3).first({ENDLESS[0]!r}, {TEXT!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, process_group=0) as child:
        assert child.stdout is not None
        child.stdout.readline()
        wait(lambda: len(members(child.pid)) == 2)
        child.send_signal(signal.SIGKILL)
        child.wait()
        wait(lambda: not members(child.pid))


def members(group: int) -> list[int]:
    """Return the processes of a group that run."""
    found = subprocess.run(
        ["ps", "-e", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True, timeout=60
    )
    rows = [row.split() for row in found.stdout.splitlines()]
    return [int(pid) for pid, of, state in rows if int(of) == group and not state.startswith("Z")]


def wait(is_done: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not is_done():
        assert time.monotonic() < end
        time.sleep(0.05)


EMPTY = gzip.compress(b"", mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(EMPTY * (8_000_000 // len(EMPTY)), id="empty parts"),
        pytest.param(EMPTY[:3] + b"\x08" + EMPTY[4:10] + b"n" * 15_000_000 + b"\0" + EMPTY[10:], id="a long name"),
    ],
)
def test_decoding_is_within_the_time_of_the_answer(body: bytes) -> None:
    """A body that is sent quickly and takes long to decode is no answer in time."""

    def handler(request: Any) -> FakeResponse:
        return FakeResponse(body=body if request.path == "/x" else b"", headers={"Content-Encoding": "gzip"})

    request = RunRequest(image="x", ports=[80])
    report = smoke(FakeRunner(handler), request, [HttpCheck("GET", "/x", timeout=0.5)])
    assert "no whole answer within 0.5 s" in str(report.results[0])
