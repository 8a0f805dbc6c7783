"""What program files say about themselves."""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from dockdsl import EngineUnavailable
from dockdsl.checks import program
from dockdsl.checks.program import program_in


def test_a_dynamic_program() -> None:
    """It names its dynamic linker and its libraries."""
    with Path(shutil.which("true") or "").open("rb") as file:
        found = program_in(file)

    assert found is not None
    assert not found.is_static
    assert found.interpreter is not None
    assert any(name.startswith("libc.") for name in found.needed)
    assert {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine] == found.architecture


@pytest.mark.parametrize("cut", [4, 16, 40, 64, 200, 5000])
def test_damaged_programs(cut: int) -> None:
    """They are not programs, and break nothing."""
    data = Path(sys.executable).resolve().read_bytes()[:cut]
    assert program_in(io.BytesIO(data)) is None or cut > 64
    for place in range(4, min(cut, 200), 3):
        program_in(io.BytesIO(data[:place] + b"\xff" + data[place + 1 :]))


def test_without_pyelftools(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is told, where there is a program to read."""
    for name in ("elftools", "elftools.common.exceptions", "elftools.construct", "elftools.elf.elffile"):
        monkeypatch.setitem(sys.modules, name, None)

    assert program_in(io.BytesIO(b"#!/bin/sh\n")) is None
    with pytest.raises(EngineUnavailable, match="pyelftools, which reads programs, is not installed; run: pip install"):
        program_in(io.BytesIO(b"\x7fELF"))


def test_what_is_no_program() -> None:
    """A script is not one."""
    assert program_in(io.BytesIO(b"#!/bin/sh\n")) is None
    assert program_in(io.BytesIO()) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff Go buildinf:\x08\x00" + bytes(40), id="addresses of Go before 1.18"),
        pytest.param(b"\xff Go buildinf:\x08\x02", id="cut"),
    ],
)
def test_build_information_that_cannot_be_read(data: bytes) -> None:
    """It is as if there were none."""
    assert program._go(data) is None


def test_build_information() -> None:
    """Version, package, module and settings, quoted where they have blanks."""
    about = (
        'path\texample.com/api\nmod\texample.com/api\tv1.2.3\th1:=\ndep\tx\tv1\nbuild\t-ldflags="-s -w"\nbuild\tA=b=c\n'
    )
    body = b"0" * 16 + about.encode() + b"1" * 16
    data = (
        b"\xff Go buildinf:\x08\x02"
        + bytes(16)
        + b"\x08go1.27.3"
        + bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        + body
    )
    found = program._go(data + bytes(9))

    assert found is not None
    assert ("go1.27.3", "example.com/api", "example.com/api") == (found.version, found.path, found.module)
    assert {"-ldflags": "-s -w", "A": "b=c"} == found.settings
