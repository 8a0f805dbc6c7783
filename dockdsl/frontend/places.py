"""Lines of the rendered Dockerfile become lines of the Python files, wherever BuildKit's answers have them.

Source: ``Source`` in ``solver/pb/ops.proto``, ``solver/errdefs`` and ``frontend/subrequests`` of moby/buildkit.
"""

from __future__ import annotations

import binascii
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from dockdsl.frontend.messages import AnyMessage, Definition, Location, Position, Range, SourceInfo
from dockdsl.frontend.report import Place

SOURCE_DETAIL = "github.com/moby/buildkit/errdefs.Source+json"
"""The kind of detail of an error that has the lines that it is about."""
LANGUAGE = "Python"
Lines = list[tuple[int, int]]


class Files:
    """The Python files: their texts by the path that Python knows, and what they are called to the user."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.names: dict[str, str] = {}

    def info(self, path: str) -> SourceInfo:
        """Return a file as BuildKit's messages have it."""
        return SourceInfo(filename=self.names[path], data=self.texts[path], language=LANGUAGE)

    def json_info(self, path: str) -> dict[str, str]:
        """Return a file as BuildKit's JSON has it."""
        return {"filename": self.names[path], "language": LANGUAGE, "data": _base64(self.texts[path])}

    def detail(self, place: Place | None) -> AnyMessage:
        """Return the detail of an error that is about a place; it has none where that is in no file that was loaded."""
        value: dict[str, Any] = {}
        if place is not None and place.path in self.texts:
            value = {"info": self.json_info(place.path), "ranges": _json_ranges([place[1:]])}
        return AnyMessage(type_url=SOURCE_DETAIL, value=json.dumps(value).encode())


class Places:
    """Where the lines of a rendered Dockerfile come from. `filename` is what BuildKit calls that."""

    def __init__(self, filename: str, text: str, lines: Iterable[Place | None], files: Files) -> None:
        self._filename, self._data, self._files = filename, text.encode(), files
        self._lines = [place if place is not None and place.path in files.texts else None for place in lines]
        self._starts: dict[str, list[int]] = {}
        for place in self._lines:
            if place is not None:
                self._starts.setdefault(place.path, []).append(place.first)
        for starts in self._starts.values():
            starts.sort()

    def of(self, ranges: Iterable[tuple[int, int]]) -> dict[str, Lines]:
        """Return the lines that ranges of lines come from, by file; none where that is not known."""
        found: dict[str, Lines] = {}
        for first, last in ranges:
            for place in self._lines[max(first - 1, 0) : max(first, last)]:
                if place is not None:
                    lines = found.setdefault(place.path, [])
                    one = (place.first, self._end(place))
                    if one not in lines:
                        lines.append(one)
        return found

    def _end(self, place: Place) -> int:
        """Return where a call ends; one in which other values are made, as a stage has its steps, is its first line."""
        starts = self._starts[place.path]
        after = bisect_right(starts, place.first)
        return place.first if after < len(starts) and starts[after] <= place.last else place.last

    def in_definition(self, definition: Definition) -> bool:
        """Let the operations of a definition come from the Python files, and return whether any does."""
        source = definition.source
        if source is None:
            return False
        ours = {
            number
            for number, info in enumerate(source.infos)
            if info.filename == self._filename and info.data == self._data
        }
        if not ours:
            return False
        made_by = source.infos[min(ours)].definition
        numbers: dict[str, int] = {}
        for locations in source.locations.values():
            mapped: list[Location] = []
            for location in locations.locations:
                found = self.of(_plain(location.ranges)) if location.source_index in ours else {}
                for path, lines in found.items():
                    if path not in numbers:
                        numbers[path] = len(source.infos)
                        info = self._files.info(path)
                        info.definition = made_by
                        source.infos.append(info)
                    mapped.append(Location(source_index=numbers[path], ranges=ranges(lines)))
                if not found:
                    mapped.append(location)
            locations.locations = mapped
        return bool(numbers)

    def in_details(self, details: list[AnyMessage]) -> None:
        """The same for the details of an error; each has the lines of one file. One of another form stays as it is."""
        for detail in details:
            with suppress(ValueError, TypeError, AttributeError, KeyError):
                self._in_detail(detail)

    def _in_detail(self, detail: AnyMessage) -> None:
        if detail.type_url != SOURCE_DETAIL:
            return
        value = json.loads(detail.value)
        if value["info"]["filename"] == self._filename:
            for path, lines in [*self.of(_of_json(value.get("ranges"))).items()][:1]:
                mapped = {"info": self._files.json_info(path), "ranges": _json_ranges(lines)}
                detail.value = json.dumps(mapped).encode()

    def in_answer(self, document: dict[str, Any]) -> None:
        """The same for the JSON that ``frontend.lint``, ``frontend.outline`` and ``frontend.targets`` answer."""
        sources: list[Any] = document.get("sources") or []
        mine = _base64(self._data)
        # Those of lint are files, those of the others are their texts.
        is_text = any(isinstance(each, str) for each in sources)
        ours = {
            number
            for number, each in enumerate(sources)
            if each == mine or (isinstance(each, dict) and each.get("filename") == self._filename)
        }
        numbers: dict[str, int] = {}
        for owner in _located(document):
            location = owner["location"]
            if location.get("sourceIndex", 0) not in ours:
                continue
            for path, lines in [*self.of(_of_json(location.get("ranges"))).items()][:1]:
                if path not in numbers:
                    numbers[path] = len(sources)
                    info = self._files.json_info(path)
                    sources.append(info["data"] if is_text else info)
                owner["location"] = {"sourceIndex": numbers[path], "ranges": _json_ranges(lines)}


def ranges(lines: Iterable[tuple[int, int]]) -> list[Range]:
    """Return lines as BuildKit's messages have them."""
    return [Range(start=Position(line=first), end=Position(line=last)) for first, last in lines]


def json_lines(location: Mapping[str, Any] | None) -> Lines:
    """Return the lines of a location in BuildKit's JSON."""
    return _of_json((location or {}).get("ranges"))


def _plain(given: Iterable[Range]) -> Lines:
    starts = [(each.start or Position(), each.end or each.start or Position()) for each in given]
    return [(start.line, end.line) for start, end in starts]


def _of_json(given: Any) -> Lines:
    found = []
    for each in given or []:
        first = (each.get("start") or {}).get("line", 0)
        found.append((first, (each.get("end") or {}).get("line", first)))
    return found


def _json_ranges(lines: Iterable[tuple[int, ...]]) -> list[dict[str, dict[str, int]]]:
    return [{"start": {"line": first}, "end": {"line": last}} for first, last in lines]


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _located(value: Any) -> Iterable[dict[str, Any]]:
    """Yield what has a location, however deep in a document."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if isinstance(each.get("location"), dict):
                yield each
            left += each.values()
        elif isinstance(each, list):
            left += each
