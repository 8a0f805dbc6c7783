"""The engine's account of a build, ``--progress=rawjson``: one JSON object a line, read into events.

Its schema is written down nowhere and grows: what is unknown is passed over.
Source: BuildKit, client.SolveStatus.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal

import attrs

from dockdsl.display import megabytes
from dockdsl.engine.building import BuildEvent, BuildWarning, Progress, StageTime
from dockdsl.origins import Origin
from dockdsl.secrecy import hide

KEPT_LINES = 200
"""Log lines of each step, and lines of plain text, that are kept."""
LONGEST_LINE = 8192

_numbered = re.compile(r"(\[(?:\S+ ){0,2}\d+/\d+\]) ").match
_names = re.compile(r"^FROM\b.*?(?: AS (\S+))?[ \t]*$", re.MULTILINE | re.IGNORECASE).findall


@attrs.define
class Step:
    """One vertex of the build's graph."""

    name: str
    started: str | None = None
    completed: str | None = None
    cached: bool = False
    error: str | None = None
    log: deque[str] = attrs.field(factory=lambda: deque(maxlen=KEPT_LINES))
    unfinished: dict[Any, tuple[Any, str]] = attrs.field(factory=dict)
    """For each stream its decoder, and the line that has no end yet."""
    is_reported: bool = False

    @property
    def label(self) -> str:
        """The number of the step, ``[build 3/5]``, or nothing."""
        found = _numbered(self.name)
        return found[1] if found else ""

    @property
    def stage(self) -> str:
        """The stage that it is in, ``build``; empty where there is only one."""
        return self.label.strip("[]").rpartition("/")[0].rpartition(" ")[0]

    @property
    def text(self) -> str:
        """The instruction."""
        return " ".join(self.name.removeprefix(self.label).split())

    @property
    def is_base(self) -> bool:
        """Whether it is a base image."""
        return self.text.startswith("FROM ")

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.started is None or self.completed is None:
            return None
        try:
            took = datetime.fromisoformat(self.completed) - datetime.fromisoformat(self.started)
        except (ValueError, TypeError):
            return None
        return max(took.total_seconds(), 0.0)

    @property
    def outcome(self) -> Literal["done", "cached", "failed", "canceled"]:
        """What came of it, once it has ended."""
        if self.error:
            return "canceled" if "context canceled" in self.error else "failed"
        return "cached" if self.cached else "done"

    def lines(self) -> tuple[str, ...]:
        """Return the last lines that it printed, the unfinished one included."""
        rest = [text for _, text in self.unfinished.values() if text]
        return (*self.log, *rest)


class Account:
    """What is known of a build so far. `feed` takes a line of the engine's stderr."""

    def __init__(
        self,
        progress: Progress | None = None,
        origin_at: Callable[[tuple[int, int] | None], Origin | None] = lambda _: None,
    ) -> None:
        self.steps: dict[str, Step] = {}
        self.warnings: list[BuildWarning] = []
        self.text: deque[str] = deque(maxlen=KEPT_LINES)
        """What was not JSON: the engine's last words."""
        self.is_empty = True
        self._ended: list[Step] = []
        self._report = progress or (lambda _: None)
        self._origin_at = origin_at

    def feed(self, line: str | None) -> bool:
        """Take one line; return False at the end, which is None."""
        if line is None:
            return False
        if line.startswith("{"):
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict):
                self.is_empty = False
                self._take(record)
                return True
        self.text.append(hide(line.rstrip("\r\n")))
        return True

    def stages(self, dockerfile: str = "") -> tuple[StageTime, ...]:
        """Return what each stage cost, in the order of the Dockerfile.

        Base images do not count as steps: one that is there already is sometimes called cached and sometimes not.
        """
        # The order in which they end is not the same each time: steps from the cache are there at once.
        places = {name.lower() or f"stage-{index}": index for index, name in enumerate(_names(dockerfile))}
        found: dict[str, list[Step]] = {}
        for step in self._ended:
            found.setdefault(step.stage, []).append(step)
        # Before the name stands the platform, where there are several.
        names = sorted(found, key=lambda name: places.get(name.rpartition(" ")[2], len(places)))
        return tuple(
            StageTime(
                name,
                sum(step.seconds or 0.0 for step in found[name] if not step.cached),
                sum(not step.is_base for step in found[name]),
                sum(step.cached and not step.is_base for step in found[name]),
            )
            for name in names
        )

    def failed(self) -> Step | None:
        """Return the step that failed; one that was only cancelled with it does not count."""
        wrong = [step for step in self.steps.values() if step.error]
        said = "\n".join(self.text)
        for step in wrong:
            if step.error and step.error in said:
                return step
        return next((step for step in wrong if step.outcome == "failed"), None)

    def running(self) -> Step | None:
        """Return a step that has started and not ended, a numbered one before others."""
        open_ = [step for step in self.steps.values() if step.started and not step.completed]
        return next((step for step in open_ if step.label), open_[0] if open_ else None)

    def _take(self, record: dict[str, Any]) -> None:
        # A step that is looked up twice is reported twice in one record: the last report counts.
        for digest, vertex in {str(vertex.get("digest")): vertex for vertex in _dicts(record, "vertexes")}.items():
            self._vertex(digest, vertex)
        for status in _dicts(record, "statuses"):
            self._status(status)
        for log in _dicts(record, "logs"):
            self._log(log)
        for warning in _dicts(record, "warnings"):
            self._warning(warning)

    def _vertex(self, digest: str, vertex: dict[str, Any]) -> None:
        step = self.steps.get(digest)
        if step is None:
            step = self.steps[digest] = Step(_str(vertex.get("name")) or digest)
        first_start = step.started is None
        step.started = _str(vertex.get("started")) or step.started
        step.completed = _str(vertex.get("completed"))
        step.cached = step.cached or vertex.get("cached") is True
        step.error = hide(_str(vertex.get("error")) or "") or step.error
        if step.completed:
            self._flush(step)
        if not step.label:
            if step.started and (first_start or step.completed):
                self._report(BuildEvent("status", step.text, "", step.seconds))
            return
        if step.completed and not step.is_reported:
            step.is_reported = True
            self._ended.append(step)
            self._report(BuildEvent(step.outcome, step.label, step.text, step.seconds))
        elif step.started and first_start:
            self._report(BuildEvent("started", step.label, step.text))

    def _status(self, status: dict[str, Any]) -> None:
        step = self.steps.get(_str(status.get("vertex")) or "")
        current, total = status.get("current"), status.get("total")
        if step is None or step.completed or not isinstance(current, int) or current <= 0:
            return
        text = megabytes(current)
        if isinstance(total, int) and total > 0:
            text += f" of {megabytes(total)}"
        self._report(BuildEvent("status", step.label or step.text, text))

    def _log(self, log: dict[str, Any]) -> None:
        step = self.steps.get(_str(log.get("vertex")) or "")
        if step is None:
            return
        stream = log.get("stream")
        decoder, pending = step.unfinished.get(stream) or (codecs.getincrementaldecoder("utf-8")("replace"), "")
        *complete, rest = (pending + decoder.decode(_bytes(log.get("data")))).split("\n")
        step.unfinished[stream] = (decoder, hide(rest)[-LONGEST_LINE:])
        for line in complete:
            self._line(step, line)

    def _flush(self, step: Step) -> None:
        for _, rest in step.unfinished.values():
            if rest:
                self._line(step, rest)
        step.unfinished.clear()

    def _line(self, step: Step, line: str) -> None:
        # What a carriage return overwrites is not seen on a terminal either.
        line = hide(line.rstrip("\r").rpartition("\r")[2])[:LONGEST_LINE]
        step.log.append(line)
        self._report(BuildEvent("log", step.label, line))

    def _warning(self, warning: dict[str, Any]) -> None:
        ends = [each.get(end) for each in _dicts(warning, "range") for end in ("start", "end")]
        places = [end.get("line") for end in ends if isinstance(end, dict)]
        numbers = [line for line in places if isinstance(line, int) and line > 0]
        lines = (min(numbers), max(numbers)) if numbers else None
        text = _bytes(warning.get("short")).decode("utf-8", "replace")
        # The number of the line is given apart from the text.
        text = re.sub(r" \(line \d+\)$", "", text)
        found = BuildWarning(text=text, url=_str(warning.get("url")), lines=lines, origin=self._origin_at(lines))
        if found not in self.warnings:
            self.warnings.append(found)
            self._report(BuildEvent("warning", "", str(found)))


def _dicts(record: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    values = record.get(key)
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value


def _str(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(value) if isinstance(value, str) else b""
    except ValueError:
        return b""
