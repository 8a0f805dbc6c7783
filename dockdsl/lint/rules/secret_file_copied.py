"""No file with secrets is copied into an image.

Whoever has the image can read it, even if a later step removes it. Looked for are private keys, ``.env`` with values,
``.npmrc``, ``.pypirc`` and ``.netrc`` with credentials, and ``.git``, by name and by content.

Files::

    app.py
    .env: PASSWORD=x
    tls/public.pem: -----BEGIN CERTIFICATE-----

Bad::

    FROM python:3.13-slim
    COPY . /srv/

Good::

    FROM python:3.13-slim
    COPY app.py tls/public.pem /srv/

Fix: add it to ``.dockerignore``; mount what a step needs: ``Run(…, mounts=[Secret("npmrc")])``.

Source: https://docs.docker.com/build/building/secrets/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from dockdsl.context.folder import Kind
from dockdsl.context.sending import BuildContext, Found, is_plain
from dockdsl.display import shown
from dockdsl.lint.effects import Transfer, excluded
from dockdsl.lint.go_sources import read
from dockdsl.lint.rule import Fault, Rule
from dockdsl.lint.subject import Subject
from dockdsl.syntax.lazy_regex import lazy_regex

_LISTED = 3
_FOR_TESTS = frozenset({"test", "tests", "testdata", "fixtures", "examples", "example", "node_modules", "vendor"})
_KEY = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_PATTERNS = {
    r"\.env(?:\.(?!example|sample|template|dist|defaults?|test)[\w.-]+)?": r"(?m)^\s*(?:export\s+)?\w+\s*=\s*[^\s#]",
    r"[\w.-]+\.env": r"(?mi)^\s*(?:export\s+)?\w*(?:password|secret|token|api_?key|private)\w*\s*=\s*[^\s#]",
    r"\.npmrc": r"(?m)^[^#;\n]*_(?:authToken|auth|password)\s*=\s*(?!\$\{)\S",
    r"\.yarnrc\.yml": r"(?m)^\s*npmAuth(?:Token|Ident):\s*(?!\"?\$\{)\S",
    r"\.pypirc": r"(?m)^\s*password\s*[=:]\s*\S",
    r"\.?_?netrc": r"\bpassword\s+\S",
    r"master\.key": r"\A[0-9a-f]{32}\b",
    r"\.pgpass": r"(?m)^[^#\n:]+:[^\n:]*:[^\n:]*:[^\n:]*:\S",
    r"(?!.*trust).*\.(?:p12|pfx)": r"\A.",
    r"\.git-credentials": r"://[^\s:/]+:[^\s@]+@",
    r"credentials": r"(?m)^\s*aws_secret_access_key\s*=\s*\S",
    r"(?:config\.json|\.dockerconfigjson|\.dockercfg)": r'"auth"\s*:\s*"[^"]',
    r".*(?:\.(?:pem|key|ppk|der|p8|crt|asc|gpg)|key|id_(?:rsa|dsa|ecdsa|ed25519)\w*)": _KEY,
    r"(?:.*credentials?.*|.*service[-_]?account.*|.*adminsdk.*)\.json": r'"private_key"\s*:\s*"-----BEGIN',
    r"(?:kubeconfig|.*\.kubeconfig)": r"(?m)^\s*(?:client-key-data|token):\s*\S",
}
_SECRETS = [(lazy_regex(name, re.DOTALL), lazy_regex(content)) for name, content in _PATTERNS.items()]


def examine(subject: Subject) -> Iterator[Fault]:
    """Find them in what is copied into an image."""
    context = subject.build.context
    if context is None:
        return
    known: dict[str, list[str]] = {}
    for stage in subject.layers:
        for transfer in stage.transfers():
            found: list[str] = []
            for source in transfer.sources:
                paths = [source.found.way.end] if source.found and _is_sent(source.found) else []
                for path in [*paths, *(source.matches.sent if source.matches else ())]:
                    if path not in known:
                        known[path] = list(_secrets(context, path))
                    found += [each for each in known[path] if not _is_excluded(transfer, path, each)]
            if found:
                some = ", ".join([shown(each) for each in found[:_LISTED]])
                more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
                fact = f"{some}{more} {'has' if len(found) == 1 else 'have'} secrets, and will be in the image"
                yield Fault(transfer.line, fact, _leaving_out(found[0], context))


def _leaving_out(path: str, context: BuildContext) -> str:
    if not is_plain(path):
        return f"add it to {context.ignoring}"
    line = f'"{path}"' if context.ignoring == "ignore=" else path
    return f"add {line} to {context.ignoring}"


def _is_sent(found: Found) -> bool:
    return found.way.is_there and found.left_out is None


def _secrets(context: BuildContext, path: str) -> Iterator[str]:
    """Yield the files with secrets at a path, and below it; of a repository of Git, its folder."""
    top = context.folder.follow(path).kind
    if top == "file" and _is_secret(context, path):
        yield path
    repository = ""
    below: list[tuple[str, Kind]] = [(path, "folder")] if top == "folder" else []
    for at, kind in (*below, *(context.walk(path) if below else ())):
        if repository and at.startswith(repository):
            continue
        if (
            kind == "folder"
            and posixpath.basename(at) == ".git"
            and any(_is_sent(context.find(f"{at}/{each}")) for each in ("HEAD", "config"))
        ):
            repository = f"{at}/"
            yield at
        elif kind == "file" and not _FOR_TESTS & {*at.split("/")[:-1]} and _is_secret(context, at):
            yield at


def _is_secret(context: BuildContext, path: str) -> bool:
    name = posixpath.basename(path)
    return any(
        is_name().fullmatch(name) and has_secret().search(read(context, path) or "") for is_name, has_secret in _SECRETS
    )


def _is_excluded(transfer: Transfer, source: str, path: str) -> bool:
    patterns = excluded(transfer.instruction)
    inside = posixpath.basename(path) if path == source else posixpath.relpath(path, source or ".")
    return patterns is not None and patterns.leaves_out(inside)


RULE = Rule("SecretFileCopied", examine, __doc__ or "", aliases=("secret-file-copied",), needs_build=True)
