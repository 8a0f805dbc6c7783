"""A program that calls https addresses has certificates.

``scratch`` has none, so every such call fails: ``x509: certificate signed by unknown authority``.

Files::

    go.mod: module example.org/app\\n\\ngo 1.27
    main.go: package main\\n\\nimport "net/http"\\n\\nfunc main() { http.Get("https://example.org") }

Bad::

    FROM golang:1.27-alpine AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /app .

    FROM scratch
    COPY --from=build /app /app

Good::

    FROM golang:1.27-alpine AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -o /app .

    FROM scratch
    COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
    COPY --from=build /app /app

Fix: copy them from the stage that builds, or begin with ``gcr.io/distroless/static``, which has them.

Source: https://pkg.go.dev/crypto/x509#SystemCertPool
"""

from __future__ import annotations

from collections.abc import Iterator

from dockdsl.lint.effects import Effects
from dockdsl.lint.go_sources import Program
from dockdsl.lint.go_steps import binaries, go_steps
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.rules.cgo_binary_on_scratch import is_copied
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_PLACES = ("/etc/ssl/certs", "/etc/pki/tls", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", "/etc/pki/ca-trust")
_calls = lazy_regex(r"\bhttp\.(?:Get|Head|Post|PostForm|Client|DefaultClient|NewRequest\w*)\b")
_BUNDLES = ("golang.org/x/crypto/x509roots/fallback", "github.com/breml/rootcerts", "github.com/gwatts/rootcerts")


def examine(subject: Subject) -> Iterator[Fault]:
    """Find programs that will miss them."""
    context = subject.build.context
    for stage in subject.built if context is not None else ():
        if stage.root is None or not stage.root.is_scratch or _has_certificates(stage):
            continue
        builders = [
            (source.stage, source.path) for each in stage.transfers() for source in each.sources if source.stage
        ]
        for builder, path in builders:
            steps = go_steps(builder) if context is not None else ()
            made = [each for step in steps if context is not None for each in binaries(builder, step, context)]
            if any(is_copied(written, path) and _calls_https(program) for written, program in made):
                yield Fault(
                    stage.line, "the program calls https addresses, and the image has no certificates", "copy them"
                )
                break


def _has_certificates(stage: Effects) -> bool:
    is_given = any(name in stage.values for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    return is_given or any(stage.look(path).kind != "absent" for path in _PLACES)


def _calls_https(found: Program) -> bool:
    """Whether it calls addresses, and not only such as begin with http."""
    if "net/http" not in found.imports or found.imports & {*_BUNDLES} or _calls().search(found.code) is None:
        return False
    return any(f"{quote}https://" in found.code for quote in '"`') or "http://" not in found.code


RULE = Rule("MissingCaCertificates", examine, __doc__ or "", "hint", ("missing-ca-certificates",), needs_build=True)
