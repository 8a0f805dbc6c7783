"""Findings as JUnit XML, for CI systems that show the results of tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dockdsl.display import for_xml
from dockdsl.lint.finding import Finding
from dockdsl.origins import short_path

_SUITE = "dockdsl check"


def written(found: Sequence[Finding]) -> str:
    """Return a test suite: a failed test for each finding, and one that passed where there are none."""
    root = Element("testsuites")
    count = str(len(found))
    suite = SubElement(root, "testsuite", name=_SUITE, tests=count if found else "1", failures=count, errors="0")
    for each in found:
        path = for_xml(short_path(each.origin.path))
        line = str(each.origin.line)
        name = for_xml(f"{each.rule} {each.origin}")
        case = SubElement(suite, "testcase", name=name, classname=path, file=path, line=line)
        failure = SubElement(case, "failure", type=for_xml(each.rule), message=for_xml(each.message))
        failure.text = for_xml(f"{each}\n{each.excerpt()}")
    if not found:
        SubElement(suite, "testcase", name="nothing was found", classname=_SUITE)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'
