"""The rules that hadolint has, too: what each of its codes finds, and its own verdicts where they are present."""

from __future__ import annotations

import pytest

from dockdsl.lint.checking import check_text
from dockdsl.lint.rules import rules
from dockdsl.lint.subject import Subject
from tests.corpora import cases
from tests.lint.agreement import ours

CODES = {alias for rule in rules() for alias in rule.aliases if alias.startswith("DL")}
BASE = "FROM debian:13 AS base\n"
# Code, what is found, and what is not.
ROWS = [
    ("DL3001", "RUN ps aux", "RUN pstree"),
    ("DL3001", "RUN a && /usr/sbin/service x start", "RUN echo service x start"),
    ("DL3002", "USER 0", "USER root\nUSER 1000"),
    ("DL3002", "USER root:root", "USER roots"),
    ("DL3003", "RUN a && cd /x && make", 'RUN echo "cd /x"'),
    ("DL3003", "RUN <<EOF\nset -e\ncd /x\nEOF", "RUN cat <<EOF\ncd /x\nEOF"),
    ("DL3003", "ONBUILD RUN cd /x", "ONBUILD COPY cd /x"),
    ("DL3004", "RUN a; sudo -u app b", "RUN apt-get install -y sudo"),
    ("DL3004", 'RUN ["sudo", "a"]', "RUN [ -x sudo ]"),
    ("DL3006", "FROM registry:5000/a", "FROM base"),
    ("DL3006", "FROM a", "FROM scratch"),
    ("DL3006", "FROM a/b", "FROM a@sha256:" + 64 * "0"),
    ("DL3007", "FROM a:latest", "FROM a:$VERSION"),
    ("DL3008", "RUN apt-get -y install a=1 b", "RUN apt-get -y install a=1 b/stable ./c.deb"),
    ("DL3008", "RUN if x; then apt-get install -y a; fi", "RUN apt-get install -y -t stable a=1"),
    ("DL3008", "RUN sudo -E apt-get install -y a", "RUN apt-get update"),
    ("DL3009", "RUN apt-get update && apt-get install a", "RUN apt-get update && rm -r /var/lib/apt/lists/*"),
    ("DL3009", "RUN apt-get update", "RUN --mount=type=cache,target=/var/lib/apt apt-get update"),
    ("DL3009", "RUN apt-get update", "RUN apt-get update && apt-get dist-clean"),
    ("DL3009", "RUN apt-get update", "RUN apt-get update\nFROM scratch"),
    ("DL3010", "COPY a.tgz /x/\nRUN tar -xzf /x/a.tgz", "COPY --from=base a.tgz /x/\nRUN tar -xzf /x/a.tgz"),
    ("DL3010", "COPY a.tar /b\nRUN tar x -f /b", "COPY a.tar /x/\nRUN tar -xf other.tar"),
    ("DL3011", "EXPOSE 70000/tcp", "EXPOSE 65535/tcp"),
    ("DL3011", "ARG A=80000\nEXPOSE $A", "EXPOSE $A"),
    ("DL3012", "HEALTHCHECK CMD a\nHEALTHCHECK NONE", "HEALTHCHECK CMD a"),
    ("DL3013", "RUN pip3 install a", "RUN pip3 install a==1 b~=2 'c>=3' ./d . https://x/y.whl"),
    ("DL3013", "RUN pip install git+https://x/y", "RUN pip install git+https://x/y@v1"),
    ("DL3013", "RUN /venv/bin/pip install -i https://x a", "RUN pip install -c versions.txt a"),
    ("DL3014", "RUN apt-get install a", "RUN apt-get -qqy install a && apt-get -qq install b"),
    ("DL3014", "RUN apt-get install a", "RUN apt-get -o APT::Get::Assume-Yes=true install a"),
    ("DL3015", "RUN apt-get install -y a", "RUN apt-get install -y --no-install-recommends a"),
    ("DL3016", "RUN npm i -g a", "RUN npm i -g a@1 @b/c@2 ./d https://x/e.tgz && npm ci"),
    ("DL3016", "RUN npm install @a/b", "RUN npm install --prefix /x"),
    ("DL3018", "RUN apk add -t tools a", "RUN apk add -t tools a=1 'b~2' c.apk"),
    ("DL3019", "RUN apk add a", "RUN apk --no-cache add a && apk del b"),
    ("DL3019", "RUN apk add a", "RUN apk add a && rm -rf /var/cache/apk/*"),
    ("DL3020", "ADD a b /x/", "ADD a.tar.xz https://x/y git@x:y.git $A /x/"),
    ("DL3020", 'ADD ["a b", "/x/"]', "ADD <<EOF /x\na\nEOF"),
    ("DL3021", "COPY a b /x", "COPY a b /x/\nCOPY a b .\nCOPY a /x"),
    ("DL3022", "COPY --from=other a b", "COPY --from=base a b\nCOPY --from=a:1 a b\nCOPY --from=x/y a b"),
    ("DL3022", "COPY --from=5 a b", "FROM a:1\nCOPY --from=0 a b"),
    ("DL3023", "COPY --from=BASE a b", "FROM a:1 AS b\nCOPY --from=base a b"),
    ("DL3027", "RUN apt list", "RUN apt-cache show a"),
    ("DL3028", "RUN gem install a", "RUN gem install a:1 && gem install b -v 1"),
    ("DL3030", "RUN yum install a", "RUN yum install -y a && yum repolist"),
    ("DL3032", "RUN yum update", "RUN yum -y update && yum clean all"),
    ("DL3033", "RUN yum install -y a-b", "RUN yum install -y a-1.2 https://x/b.rpm"),
    ("DL3034", "RUN zypper in a", "RUN zypper -n in a && zypper in -y b"),
    ("DL3035", "RUN zypper -n dup", "RUN zypper -n update"),
    ("DL3036", "RUN zypper -n in a", "RUN zypper -n in a && zypper clean -a"),
    ("DL3037", "RUN zypper -n in a", "RUN zypper -n in a=1 'b>=2'"),
    ("DL3038", "RUN microdnf install a", "RUN microdnf -y install a"),
    ("DL3040", "RUN dnf -y install a", "RUN --mount=type=cache,target=/var/cache dnf -y install a"),
    ("DL3041", "RUN dnf -y --enablerepo x install a", "RUN dnf -y --enablerepo x install a-1"),
    ("DL3042", "RUN pip install a", "RUN pip install --no-cache-dir a && pip list"),
    ("DL3044", "ENV A=1 B=$A", "ENV A=$A/x B=$C"),
    ("DL3045", "COPY a b", "COPY a /b\nCOPY a $B\nWORKDIR /x\nCOPY a b\nFROM base\nCOPY a b"),
    ("DL3045", "COPY a .", "FROM scratch\nCOPY a ."),
    ("DL3046", "RUN useradd --uid=100000 a", "RUN useradd -u 1000 a && useradd -lu 100000 b"),
    ("DL3047", "RUN wget x", "RUN wget -qO- x && wget --progress=dot x && wget -nv x && wget -o log x"),
    ("DL3048", "LABEL a..b=1 -c=2", "LABEL a.b-c.d2=1 $X=2"),
    ("DL3048", "LABEL com.docker.x=1", "LABEL com.dockerx=1"),
    ("DL3059", "RUN a\nRUN b", "RUN a\nRUN --network=none b\nWORKDIR /x\nRUN c && d\nRUN e"),
    ("DL3060", "RUN yarn install", "RUN yarn install && yarn cache clean"),
    ("DL3062", "RUN go install x.org/a@latest", "RUN go install x.org/a@v1 && go install ./cmd/..."),
    ("DL3066", "USER app:1", "USER 1000:app\nUSER $APP"),
    ("DL3067", "COPY --from=base / /", "COPY --from=base /a /\nCOPY / /"),
    ("DL4001", "RUN curl x\nRUN a && wget -q y", "RUN curl x\nFROM a:1\nRUN wget -q y"),
    ("DL4003", 'CMD ["a"]\nCMD ["b"]', 'CMD ["a"]\nFROM base\nCMD ["b"]'),
    ("DL4004", 'ENTRYPOINT ["a"]\nENTRYPOINT ["b"]', 'ENTRYPOINT ["a"]'),
    ("DL4005", "RUN ln -sf bash /bin/sh", "RUN ln -s /bin/sh /bin/x"),
    ("DL4006", "RUN a | b", "RUN set -eo pipefail; a | b"),
    ("DL4006", "RUN x=$(a | b)", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN a | b'),
    ("DL4006", "RUN a |& b", "RUN a || b; echo 'a | b' # a | b"),
    ("DL4006", 'SHELL ["/bin/ash", "-c"]\nRUN a | b', 'SHELL ["pwsh", "-c"]\nRUN a | b'),
    ("DL4006", "RUN a | b", "FROM mcr.microsoft.com/windows/nanoserver:1\nRUN a | b"),
    ("DL4006", "RUN <<EOF\n#!/bin/bash\na | b\nEOF", "RUN <<EOF\n#!/usr/bin/env python3\na | b\nEOF"),
]
# What is left out, and why: the page about checks has the reasons.
PROJECT = {"DL1001", "DL3026", "DL3049", "DL3050", "DL3051", "DL3052", "DL3053", "DL3054", "DL3055", "DL3056", "DL3058"}
ASKED_FOR = {"DL3057"}
UNREADABLE = {"DL3043", "DL3061"}


def codes(text: str) -> set[str]:
    """Return the codes of what is found."""
    return set(ours([text])[0])


@pytest.mark.parametrize(("code", "bad", "good"), ROWS)
def test_each_code(code: str, bad: str, good: str) -> None:
    """It is found where it should be, and not next to that."""
    assert code in codes(f"{BASE}{bad}\n")
    assert code not in codes(f"{BASE}{good}\n")


def test_each_code_can_be_ignored() -> None:
    """A comment with a code that hadolint has is not found fault with, whether it is a rule here or not."""
    for code in CODES | PROJECT | ASKED_FOR | UNREADABLE:
        found = check_text(f"FROM debian:13\n# hadolint ignore={code}\nRUN x\n", "Dockerfile")
        assert "InvalidIgnore" not in [each.rule for each in found]


def test_each_code_has_a_row() -> None:
    """No alias of a rule of ours is untested; those of BuildKit's rules are, by BuildKit."""
    of_buildkit = {alias for rule in rules() if rule.is_buildkit for alias in rule.aliases}

    assert CODES - of_buildkit <= {code for code, _, _ in ROWS}


@pytest.mark.corpora
def test_hadolints_own_pairs() -> None:
    """What hadolint finds in the bad example of a code is found, and nothing of it in the good one."""
    judged = [case for case in cases("hadolint_rules") if case["rule"].startswith("DL")]
    left_out = PROJECT | ASKED_FOR | UNREADABLE

    assert {case["rule"] for case in judged} == CODES | left_out
    for case in judged:
        found, unread = ours([case["bad"]])
        assert case["rule"] in found or case["rule"] in left_out
        assert bool(unread) == (case["rule"] in UNREADABLE)
        assert case["rule"] not in codes(case["good"])


def test_the_line_of_the_command() -> None:
    """A finding about a command is at its own line, in a continued RUN and in a heredoc."""
    text = 'FROM debian:13\nRUN a \\\n    # b\n    && sudo c\nRUN <<EOF\na\n\n"sudo" d\nEOF\n'
    subject = Subject(text, "Dockerfile")
    (rule,) = [each for each in rules() if each.name == "SudoInRun"]

    assert rule.examine is not None
    assert [fault.at for fault in rule.examine(subject)] == [3, 7]


def test_an_alias_ignores_what_it_names() -> None:
    """A code ignores its own findings, not all of the rule that has it among others."""
    text = "FROM debian:13\n# hadolint ignore=DL3008\nRUN pip install a && apt-get install -y a\n"
    found = [each.alias for each in check_text(text, "Dockerfile") if each.rule == "UnpinnedPackages"]

    assert found == ["DL3013"]
