"""The rendered Dockerfile is passed on to BuildKit's own frontend, and the answers get the lines of Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import attrs

from dockdsl.frontend.codec import Malformed
from dockdsl.frontend.gateway import Gateway
from dockdsl.frontend.messages import Cache, Definition, Ref, Result, WarnRequest
from dockdsl.frontend.places import Files, Places, json_lines, ranges
from dockdsl.frontend.report import Failed
from dockdsl.frontend.wire import CallFailed
from dockdsl.syntax.directives import settings_of

_LINT, _OUTLINE = "frontend.lint", "frontend.outline"
_MAPPED = (_LINT, _OUTLINE, "frontend.targets")
"""The questions whose answers have lines."""
_QUESTION, _DOCUMENT = "requestid", "result.json"
_ANOTHER_FORM = (ValueError, TypeError, AttributeError, KeyError)
"""What is raised where BuildKit's JSON is not what it is known to be."""
_CHECK = "build-arg:BUILDKIT_DOCKERFILE_CHECK"


@attrs.frozen
class Forwarding:
    """A build, or a question about it, as it is passed on."""

    gateway: Gateway
    files: Files
    places: Places
    options: dict[str, str]
    inputs: Mapping[str, bytes]
    vertex: str
    """The step that warnings belong to."""

    def run(self, check: str, *, can_warn: bool) -> Result:
        """Return what comes of it; `check` is what the Dockerfile says of checks.

        Raises `Failed` where a warning is to be an error.
        """
        question = self.options.get(_QUESTION)
        options = self.options
        if can_warn and question in (None, _OUTLINE):
            options = self._warn(check)
        result = self.gateway.build(options, self.inputs)
        if question is None:
            return self._mapped(result)
        if question in _MAPPED and _DOCUMENT in result.metadata:
            # One of another form stays as it is.
            with suppress(*_ANOTHER_FORM):
                document = json.loads(result.metadata[_DOCUMENT])
                self.places.in_answer(document)
                result.metadata[_DOCUMENT] = json.dumps(document, indent=2).encode()
        return result

    def _warn(self, check: str) -> dict[str, str]:
        """Have the Dockerfile checked, tell what is found at the lines of Python, and return options without checks."""
        try:
            result = self.gateway.build({**self.options, _QUESTION: _LINT}, self.inputs)
            found = json.loads(result.metadata[_DOCUMENT]).get("warnings") or []
            warnings = [self._warning(each) for each in found]
        except (CallFailed, *_ANOTHER_FORM):
            # Another BuildKit: it warns while it builds, at the lines of the Dockerfile.
            return self.options
        for warning in warnings:
            self.gateway.warn(warning)
        settings = settings_of(self.options.get(_CHECK) or check) or ""
        if found and "error=true" in settings.split(";"):
            rules = ", ".join(dict.fromkeys(str(each.get("ruleName")) for each in found))
            # In the words of BuildKit, which says no place either.
            raise Failed(f"lint violation found for rules: {rules}", None)
        return {**self.options, _CHECK: "skip=all"}

    def _warning(self, found: Mapping[str, Any]) -> WarnRequest:
        warning = WarnRequest(digest=self.vertex, level=1, url=f"{found.get('url') or ''}")
        warning.detail = [f"{found['description']}".encode()] if found.get("description") else []
        line = ""
        for path, lines in [*self.places.of(json_lines(found.get("location"))).items()][:1]:
            warning.info, warning.ranges = self.files.info(path), ranges(lines)
            line = f" (line {lines[0][0]})"
        warning.short = f"{found.get('ruleName')}: {found.get('detail')}{line}".encode()
        return warning

    def _mapped(self, result: Result) -> Result:
        """Return a result whose steps come from the lines of Python."""
        imports = json.loads(self.options.get("cache-imports") or "[]")
        caches = [Cache(type=each["Type"], attrs=each.get("Attrs") or {}) for each in imports]
        if result.ref is not None:
            result.ref = self._again(result.ref, caches)
        elif result.refs is not None:
            result.refs.refs = {name: self._again(ref, caches) for name, ref in result.refs.refs.items()}
        return result

    def _again(self, ref: Ref, caches: list[Cache]) -> Ref:
        """Return a reference of the same steps with the lines of Python; where BuildKit refuses that, the same one."""
        try:
            definition = Definition.read(ref.definition)
            if ref.id and self.places.in_definition(definition):
                return self.gateway.solve_again(definition, caches).ref or ref
        except (CallFailed, Malformed):
            # The build goes on with the lines of the Dockerfile.
            pass
        return ref
