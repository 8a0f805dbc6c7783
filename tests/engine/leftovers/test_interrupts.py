"""Signals that are held back while something is made or removed: when they are heard, and what a second one does."""

from __future__ import annotations

import signal
import subprocess
import sys
from signal import SIGHUP, SIGINT, SIGTERM

import pytest

SCRIPT = """
import signal
from dockdsl.engine.leftovers import interrupts
from dockdsl.engine.leftovers.interrupts import deferred

# A shell without job control has what runs in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

def say(*words):
    print(*words, flush=True)

def work():
    say("begins")
    input()
    say("is done")

interrupts._PATIENCE = {patience}
interrupts.on_wait = lambda: say("waits")
try:
    with interrupts.ended_by_exception():
{block}
except BaseException as raised:
    say(type(raised).__name__, *raised.args)
say(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGTERM) == 0)
"""
ENDED = """
try:
    work()
finally:
    say("cleans")
    input()
    say("is clean")
"""
ENDED_AND_HELD = """
try:
    work()
finally:
    with deferred():
        work()
    say("continues")
"""
HELD = """
with deferred():
    work()
"""
NESTED = """
with deferred():
    with deferred():
        work()
    work()
"""
CLEANING = """
try:
    raise KeyboardInterrupt
finally:
    with deferred():
        work()
"""
NESTED_CLEANING = """
with deferred():
    try:
        with deferred():
            work()
    finally:
        with deferred():
            work()
"""
CLEANING_MORE = """
try:
    try:
        raise KeyboardInterrupt
    finally:
        with deferred():
            work()
finally:
    with deferred():
        work()
"""


@pytest.mark.parametrize(
    ("block", "patience", "steps", "said"),
    [
        pytest.param(ENDED, 60, ["begins", SIGINT, "cleans", ""], "is clean KeyboardInterrupt", id="not held back"),
        pytest.param(
            ENDED, 60, ["begins", SIGTERM, "cleans", SIGINT, ""], "is clean Ended 143", id="an echo, not held back"
        ),
        pytest.param(ENDED, 0, ["begins", SIGINT, "cleans", SIGTERM], "Ended 143", id="a second one, not held back"),
        pytest.param(HELD, 60, ["begins", ""], "is done", id="none"),
        pytest.param(HELD, 60, ["begins", SIGTERM, ""], "is done Ended 143", id="one"),
        pytest.param(HELD, 60, ["begins", SIGINT, SIGINT, ""], "is done KeyboardInterrupt", id="an echo"),
        pytest.param(HELD, 0.2, ["begins", SIGHUP, "waits", ""], "is done Ended 129", id="a long wait"),
        pytest.param(HELD, 0.2, ["begins", SIGINT, "waits", SIGTERM], "Ended 143", id="a second one"),
        pytest.param(
            NESTED,
            0.2,
            ["begins", SIGTERM, "waits", "", "is done", "begins", ""],
            "is done Ended 143",
            id="nested",
        ),
        pytest.param(NESTED, 0.2, ["begins", SIGTERM, "waits", SIGINT], "KeyboardInterrupt", id="a second one, nested"),
        pytest.param(CLEANING, 0.2, ["begins", "waits", ""], "is done KeyboardInterrupt", id="after a signal"),
        pytest.param(CLEANING, 0.2, ["begins", "waits", SIGINT], "KeyboardInterrupt", id="a second one after a signal"),
        pytest.param(
            ENDED_AND_HELD,
            2,
            ["begins", SIGTERM, "begins", SIGINT, "waits", ""],
            "is done continues Ended 143",
            id="an echo after a signal",
        ),
        pytest.param(
            NESTED_CLEANING, 0.2, ["begins", SIGTERM, "waits", SIGINT], "KeyboardInterrupt", id="nothing more, nested"
        ),
        pytest.param(CLEANING_MORE, 0.2, ["begins", "waits", SIGTERM], "Ended 143", id="nothing more is begun"),
    ],
)
def test_a_signal(block: str, patience: float, steps: list[str | signal.Signals], said: str) -> None:
    """It is raised when the block has ended, and a second one at once; all handlers are as they were."""
    script = SCRIPT.format(patience=patience, block=block.replace("\n", "\n        "))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for step in steps:
            if isinstance(step, signal.Signals):
                child.send_signal(step)
            elif step:
                assert f"{step}\n" == child.stdout.readline()
            else:
                child.stdin.write("\n")
                child.stdin.flush()
        rest = child.stdout.read()
    assert f"{said} True True" == " ".join(rest.split())
    assert 0 == child.returncode
