"""The results of checks as JUnit XML, which CI systems show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, tostring

from dockdsl.display import for_xml

if TYPE_CHECKING:
    from dockdsl.checks.report import CheckResult


def written(suite: str, results: Iterable[CheckResult], error: str | None = None, log: Iterable[str] = ()) -> str:
    """Return the XML of a test suite: a test case for each check, and one more for an error that stopped them.

    `log` is what the server printed, for the suite as a whole.
    """
    suite = for_xml(suite)
    cases = list(results)
    failed = sum(not result.ok for result in cases)
    seconds = sum(result.seconds or 0.0 for result in cases)
    root = Element("testsuites")
    top = SubElement(root, "testsuite", name=suite, time=f"{seconds:.3f}")
    for name, count in (
        ("tests", len(cases) + (error is not None)),
        ("failures", failed),
        ("errors", error is not None),
    ):
        top.set(name, str(int(count)))
    for result in cases:
        case = SubElement(
            top, "testcase", name=for_xml(result.title), classname=suite, time=f"{result.seconds or 0.0:.3f}"
        )
        if result.origin is not None:
            case.set("file", for_xml(str(result.origin).rpartition(":")[0]))
            case.set("line", str(result.origin.line))
        if not result.ok:
            message = for_xml("; ".join(result.mismatches))
            SubElement(case, "failure", message=message).text = for_xml(str(result))
        _add_log(case, result.log)
    if error is not None:
        case = SubElement(top, "testcase", name="build and start", classname=suite, time="0.000")
        lines = [for_xml(line) for line in error.splitlines()]
        SubElement(case, "error", message=lines[0]).text = "\n".join(lines)
    _add_log(top, log)
    return _text(root)


def joined(texts: Iterable[str]) -> str:
    """Return the suites of several texts that `written` returned as one text."""
    root = Element("testsuites")
    for text in texts:
        root.extend(fromstring(text))  # noqa: S314 - our own
    return _text(root)


def _text(root: Element) -> str:
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _add_log(element: Element, log: Iterable[str]) -> None:
    text = "\n".join(map(for_xml, log))
    if text:
        SubElement(element, "system-out").text = text
