"""No false alarm: what is found at the default level in two hundred well-kept Dockerfiles, each judged by eye.

`judged.tsv` has a line for each file: its hash, repository and path, and the findings that were judged, by rule and
line. All of them are true: a finding that is not there, or is gone, is to be judged before the list is changed.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from dockdsl import check
from dockdsl.lint import shellcheck
from dockdsl.lint.rules import rules
from dockdsl.lint.subject import Subject
from tests.corpora import corpus

JUDGED = Path(__file__).with_name("judged.tsv")
# Why what a rule finds in these files is true.
TRUE = {
    "AptListsLeft": "the stage of the image, or one that it is based on, updates and does not clean up",
    "CacheBrokenByCopy": "the whole folder is copied before the packages of a manifest are installed",
    "FromAsCasing": "as is in small letters, and FROM is not",
    "FromPlatformFlagConstDisallowed": "the platform is a constant, and the name of the stage does not say it",
    "InvalidDefaultArgInFrom": "without build arguments there is no base, and the build fails",
    "JSONArgsRecommended": "a shell runs the command of the image, and gets its signals",
    "LegacyKeyValueFormat": "there is a space in the place of the equals sign",
    "RedundantTargetPlatform": "the flag says what is the default",
}


def judged() -> dict[str, set[tuple[str, int]]]:
    """Return rule and line of the findings that were judged, by the hash of their file."""
    found: dict[str, set[tuple[str, int]]] = {}
    for row in JUDGED.read_text(encoding="utf-8").splitlines():
        digest, _, _, findings = row.split("\t")
        pairs = [each.split(":") for each in findings.split()]
        found[digest] = {(rule, int(line)) for rule, lines in pairs for line in lines.split(",")}
    return found


def test_each_rule_has_a_reason() -> None:
    """A rule that finds something in these files says why that is true, and there is one of that name."""
    assert set(TRUE) == {rule for found in judged().values() for rule, _ in found}
    assert set(TRUE) <= {rule.name for rule in rules()}
    assert len(judged()) == 200


@pytest.mark.corpora
def test_no_false_alarm() -> None:
    """What is found at the default level is what was judged to be true."""
    expected = judged()
    texts = {sha256(each["text"].encode(each.get("encoding", "utf-8"))).hexdigest()[:16]: each for each in corpus()}
    subjects = [Subject(texts[digest]["text"], "Dockerfile") for digest in expected]
    shellcheck.prepare(script for subject in subjects for script in subject.scripts)
    found = {
        digest: {(each.rule, each.line) for each in check(texts[digest]["text"]) if each.severity != "hint"}
        for digest in expected
    }

    assert found == expected
