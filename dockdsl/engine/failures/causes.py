"""Well-known failures of builds and containers: the words that identify them, the cause, and the fix.

Programs give no error codes that could be looked up, so their words decide: those of the engine, of shells, of Go and
of other tools. What was said last counts, and of two rows that fit there the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from dockdsl.display import both_ends
from dockdsl.engine.building import LOG_LINES

_NEAR = 5
"""Lines at the end of a log in which words count that programs also print when they continue."""


@attrs.frozen
class Explanation:
    """Why a step or a container failed, and what to do, in plain words."""

    cause: str
    fix: str


@attrs.frozen
class _Row:
    """`cause` and `fix` name the groups of `words` in braces.

    `broad`
        Whether a program may print the words and continue: they count near the end of a log alone, as the likely cause.
    """

    words: str
    cause: str
    fix: str
    flags: int = 0
    broad: bool = False


_SCRATCH_SHELL = (
    "take the exec form (Run.exec, Cmd.exec) with a program that the stage has, or do it in a stage that has a shell"
)

ROWS = (
    # --- where the result goes
    _Row(
        r"(?:invalid destination (?:file|directory):|failed to open open|synctarget dest dir) (?P<path>.+?): ",
        "the result cannot be written to {path}",
        "name a path in dest= that you may write, in a folder that is there",
    ),
    _Row(
        # What is received may end before it is said why.
        r"failed to send stat .*EOF",
        "the result cannot be written to the folder that dest= names",
        "name a path in dest= that you may write, and that has room",
    ),
    _Row(
        r"destination (?P<what>file|directory) (?P<path>.+) is a (?P<found>file|directory)",
        "dest= is to name a {what}, and {path} is a {found}",
        "take another path; type=local writes a folder, and type=oci, docker and tar a file",
    ),
    _Row(
        r"tag is needed when pushing to registry",
        "no tag says where the image is to be pushed to",
        'give it one that begins with the registry: tags="HOST/NAME:TAG", or --tag',
    ),
    # --- Go
    _Row(
        r"go\.mod requires go >= (?P<wanted>[\w.]+) \(running go (?P<has>[\w.]+)",
        "the Go of this stage is {has}, and go.mod asks for {wanted} or newer",
        "take a base image with Go {wanted} or newer, or lower the go line of go.mod; with GOTOOLCHAIN=auto, Go "
        "fetches the newer one itself",
    ),
    _Row(
        r"error obtaining VCS status: (?P<said>.*)",
        "Go wants to write the commit into the program, and git does not answer in the build ({said})",
        'build with -buildvcs=false, or leave .git out by .dockerignore; for "dubious ownership" run '
        "git config --global --add safe.directory '*' before",
    ),
    _Row(
        r"missing go\.sum entry for (?:module providing package |go\.mod file; to add it:|)(?P<name>\S*)",
        "go.sum in the context does not have the sum of a module that is used ({name})",
        "run go mod tidy on your machine, and copy go.sum beside go.mod",
    ),
    _Row(
        r"go: (?:go\.mod file not found in current directory|cannot find main module)",
        "there is no go.mod in the working directory of the step",
        "copy go.mod before this step, and set Workdir to the folder that has it",
    ),
    # --- certificates and the network
    _Row(
        r"x509: certificate signed by unknown authority|unable to get local issuer certificate"
        r"|[Cc]ertificate verification failed|certificate verify failed|SSL certificate problem"
        r"|not enough trusted|self.signed certificate",
        "the certificate of the other side is signed by nobody who is trusted here",
        "install ca-certificates in this stage, or copy your proxy's or company's certificate in; on scratch copy "
        "/etc/ssl/certs/ca-certificates.crt from the stage before",
        broad=True,
    ),
    _Row(
        r"bad address '(?P<a>[^']+)'|[Cc]ould not resolve(?: host:?)? '?(?P<b>[^'\s]+)"
        r"|lookup (?P<c>\S+)[^\n]*: no such host"
        r"|Temporary failure in name resolution|Name or service not known|EAI_AGAIN",
        "a name is not found in the network ({a}{b}{c})",
        'check the name, and the DNS of the engine; a step with network="none" reaches nothing',
        broad=True,
    ),
    _Row(
        r"[Nn]etwork is unreachable|[Nn]o route to host",
        "the network is not reachable",
        'check the network of the engine and its proxy; a step with network="none" reaches nothing',
        broad=True,
    ),
    _Row(
        r"[Cc]onnection refused",
        "nothing listens at the address that is asked",
        "check address and port; localhost is the step or the container itself, and not your machine",
        broad=True,
    ),
    _Row(
        r"(?:response|invalid response) status(?: code)?:? (?P<a>[45]\d\d[^\n]*)"
        r"|server returned error: HTTP/\S+ (?P<b>[45]\d\d[^\n]*)",
        "the server answers {a}{b}",
        "check the address, and whether it asks for a login",
        broad=True,
    ),
    _Row(
        r"digest mismatch (?P<has>\S+): (?P<wanted>\S+)",
        "what is downloaded is not what checksum= names (it is {has})",
        "see whether it was published again; if you trust it, write its checksum",
    ),
    _Row(
        r"no SSH key \"(?P<id>[^\"]+)\" forwarded|unset ssh forward key|ssh.*Permission denied \(publickey",
        "the step wants an SSH agent, and the build was given none",
        'give it: ssh="default" in the Image, or --ssh default, with an agent that holds your key (ssh-add -l)',
    ),
    _Row(
        r"failed to convert agent config",
        "there is no SSH agent and no key at the place that is named",
        'check the path in ssh= or --ssh; ssh="default" takes the agent of SSH_AUTH_SOCK',
    ),
    _Row(
        r"git stderr:\s*: exec: \"git\": executable file not found",
        "the engine has no git, with which it gets a repository",
        "install git on the engine's machine, or check the repository out and pass its folder",
    ),
    _Row(
        r"[Hh]ost key verification failed",
        "the step does not know the key of the SSH server",
        "put the server's key into /root/.ssh/known_hosts before, as ssh-keyscan prints it",
    ),
    # --- secrets and mounts
    _Row(
        r"(?:can't open|cannot open|No such file or directory:?) '?(?P<path>/run/secrets/[^\s':]+)"
        r"|(?P<path2>/run/secrets/[^\s':]+): No such file or directory",
        "the secret that is read is not there ({path}{path2}): the build was not given it, or its step is over",
        'name it in the Image, secrets="id=…,env=…" or "id=…,src=…", or as --secret; Secret(…, required=True) says so '
        "earlier",
    ),
    _Row(
        r"[Nn]o space left on device",
        "a disk is full: that of the engine, or a tmpfs mount of the step",
        "free it (docker system df, docker builder prune), or give Tmpfs a larger size",
        broad=True,
    ),
    _Row(
        r"[Rr]ead-only file system",
        "what is written to is read-only",
        "write elsewhere; give a Bind rw=True, what is written there is thrown away after the step; give a container a "
        "tmpfs",
        broad=True,
    ),
    # --- programs
    _Row(
        r"exec format error|cannot execute binary file",
        "the program is for another kind of processor, or is a script without a #! line",
        "build it for the stage's platform (GOARCH, --platform), or start the script with #!/bin/sh",
        re.IGNORECASE,
    ),
    _Row(
        r"exec: \"(?P<shell>/bin/sh|cmd|/bin/bash|/bin/ash|bash|sh)\": "
        r"(?:stat \S+: no such file|executable file not found)",
        "the stage has no {shell}: its base is scratch or a distroless image, or lacks that shell",
        _SCRATCH_SHELL,
    ),
    _Row(
        r"exec: \"(?P<program>[^\"]+)\": (?:stat \S+: no such file or directory|executable file not found in \$?PATH)",
        "the stage has no program {program}",
        "install it in this stage, or check its path and spelling",
    ),
    _Row(
        r"exec: \"(?P<program>[^\"]+)\": is a directory",
        "{program} is a folder, not a program",
        "name the program in it",
    ),
    _Row(
        r"exec: \"(?P<program>[^\"]+)\": (?:stat \S+: )?permission denied"
        r"|\Aexit code: 126(?s:.*)(?:^|: )(?P<path>/[^\s:]+): Permission denied"
        r"|exec (?P<path2>\S+): permission denied",
        "{program}{path}{path2} may not be run: its x bit is missing",
        'copy it with chmod="755", or set the bit in the context and commit it (git update-index --chmod=+x)',
    ),
    _Row(
        r"fork/exec (?P<path>/\S+): no such file or directory",
        "{path} is not there, or what it needs to start is not: the loader of a dynamic program, or an interpreter",
        "check its path; link it statically (CGO_ENABLED=0 for Go); give a script LF line ends",
    ),
    _Row(
        r"exec (?P<path>/\S+): no such file or directory",
        "{path} is there, and what it needs to start is not: the loader of a dynamic program, or the interpreter of "
        "its #! line (a script with CRLF line ends asks for one that no system has)",
        "link it statically (CGO_ENABLED=0 for Go), or take a base image with the same C library; give a script LF "
        "line ends",
    ),
    _Row(
        r"\Aexit code: 0\b",
        "its first process ended, and a container with it",
        "keep the server in the foreground (httpd -f), and do not start it with & at the end",
    ),
    _Row(
        r"\Aexit code: 127\b",
        "the shell does not find a program that the command names",
        "install it in this stage, or check its spelling and PATH; a script with CRLF line ends, or a dynamic program "
        "without its loader, looks the same",
    ),
    _Row(
        r"\Aexit code: 126\b",
        "a file that the command names is not an executable program",
        'copy it with chmod="755", and check that it is a program or a script',
    ),
    _Row(
        r"\Aexit code: 137\b|signal: killed",
        "the command was killed from outside, most often because the memory ran out",
        "give the engine more memory, or do less at once (go build -p 1, make -j1)",
    ),
    _Row(
        r"\Aexit code: 139\b|[Ss]egmentation fault",
        "the program crashed (segmentation fault)",
        "check that it and its libraries are of the same system; musl and glibc do not mix",
        broad=True,
    ),
    _Row(
        r"unable to find (?P<what>user|group) (?P<name>\S+?):? no matching entries"
        r"|invalid user(?:/group)? index|no such (?:user|group)"
        r"|no matching entries in (?:passwd|group) file",
        "the stage does not know the user or group ({name})",
        'make it before (adduser), or write its number, which needs no entry: User("65532:65532")',
    ),
    _Row(
        r"[Pp]ermission denied|Operation not permitted|EACCES",
        "the user that it runs as may not do that",
        "do it before the User instruction, or give the file to that user with chown=",
        broad=True,
    ),
    # --- options
    _Row(
        r"(?P<what>Cache export|Attestation|OCI exporter|Docker exporter|Multi-platform build)[\w ]* not supported "
        r"for the (?P<driver>\S+) driver",
        "{what}: the engine's own builder cannot do this with its classic image store",
        "turn on the engine's containerd image store, or take another builder (docker buildx create, then --builder)",
    ),
    _Row(
        r'"rewrite-timestamp" conflicts with "unpack"',
        "the engine's own builder cannot rewrite times in what it keeps itself",
        'load the image and push it with docker push, write it with output="type=oci,dest=…", or take another builder',
    ),
    _Row(
        r"make sure SSH_AUTH_SOCK is set",
        "there is no SSH agent whose keys the build could use",
        'start one (eval $(ssh-agent); ssh-add), or name the key: ssh="default=PATH"',
    ),
    _Row(
        r"oci-layout reference \"(?P<ref>[^\"]+)\" could not be resolved",
        "there is no OCI layout at {ref}",
        "check the path: it is that of a folder with an index.json, and a tag or digest may follow it",
    ),
    _Row(
        r"invalid SOURCE_DATE_EPOCH",
        "SOURCE_DATE_EPOCH in the environment is not a number of seconds",
        "set it to the seconds since 1970, or unset it",
    ),
    _Row(
        r"docker exporter does not[\w ]* support exporting manifest lists",
        "this form of an image holds one platform alone, also on its way of a reproducible build into the engine",
        'build one platform at a time, or write it with output="type=oci,dest=…", or push it',
    ),
    _Row(
        r"syntax error in pattern",
        "a pattern of what is left out of the context is not valid",
        'see .dockerignore or ignore=; each "[" has its "]"',
    ),
    _Row(
        r"string field contains invalid UTF-8",
        "a file of the context has a name that is not UTF-8, and BuildKit does not accept such a file",
        "rename it, or leave it out of the context with .dockerignore or ignore=",
    ),
    # --- instructions
    _Row(
        r"network\.host is not allowed",
        "a step wants the host's network, which a build must allow",
        'allow it: allow="network.host" in the Image, or --allow network.host',
    ),
    _Row(
        r"security\.insecure is not allowed",
        "a step wants to run without the sandbox, which a build must allow",
        'allow it: allow="security.insecure" in the Image, or --allow security.insecure, with a builder that may',
    ),
    _Row(
        r"cannot copy to non-directory: (?P<path>\S+)|cannot replace to directory (?P<path2>\S+) with file",
        "a folder would take the place of a file, or a file that of a folder",
        "write a destination that is not there yet, or one that ends with a slash",
    ),
    _Row(
        r"When using (?:COPY|ADD) with more than one source file, the destination must be a directory and end with a /",
        "several sources go to one destination that is not a folder",
        "end the destination with a slash",
    ),
    _Row(
        r"not a directory",
        "a part of the path is a file",
        "choose a path whose folders are folders",
        broad=True,
    ),
    _Row(
        r"repository name \((?:library/)?(?P<name>[^)]+)\) must be lowercase",
        "the name of an image, {name}, is not in lower case",
        "write it in lower case, where it stands: in a stage, a context, a cache, a tag or a build argument",
    ),
    _Row(
        r"base name \((?P<name>.*?)\) should not be blank|invalid reference format",
        "the name of an image is empty or not valid once its arguments are filled in",
        "give the argument a default, or a value with build_args= or --build-arg",
    ),
    _Row(
        r"\b(?P<name>\w+): (?:parameter not set|unbound variable)",
        "the command uses the variable {name}, which is not set in this stage",
        'declare it in this stage: Arg("{name}") takes a build argument in, Env sets one',
        broad=True,
    ),
    _Row(
        r"failed to process \"(?:[^\"\\]|\\.)*\": (?P<said>[^\n]*)",
        "a variable that the instruction needs has no value ({said})",
        "give it a value with build_args= or --build-arg, or a default",
    ),
    _Row(
        r"fatal: (?P<said>repository '[^']*' not found|could not read Username[^\n]*|Authentication failed[^\n]*"
        r"|'[^']*' does not appear to be a git repository)",
        "git does not get the repository ({said})",
        "check its address, and give the build what it logs in with, ssh= or a secret",
    ),
)
_compiled = [(re.compile(row.words, row.flags | re.MULTILINE), row) for row in ROWS]


def explain(reason: str, log: Iterable[str] = ()) -> Explanation | None:
    """Return what is known of a failure from what the engine says of it and the last lines of its log, or None.

    >>> print(explain("exit code: 1", ["go: go.mod requires go >= 1.99 (running go 1.27.3; GOTOOLCHAIN=local)"]).cause)
    the Go of this stage is 1.27.3, and go.mod asks for 1.99 or newer
    >>> print(explain("exit code: 1", ["dial: connection refused"]).cause)
    most likely nothing listens at the address that is asked
    >>> print(explain("dial: connection refused").cause)
    nothing listens at the address that is asked
    >>> explain("exit code: 1")
    """
    # A search for words takes the square of a line's length at worst.
    shown = [both_ends(line) for line in list(log)[-LOG_LINES:]]
    reason = "\n".join(map(both_ends, reason.split("\n")))
    # That a program failed says less than what it printed; what the engine itself could not do says all.
    first = reason.startswith("exit code: ")
    text = "\n".join([reason, *shown] if first else [*shown, reason])
    near = len("\n".join(text.split("\n")[:-_NEAR]))
    best, last = None, -1
    for words, row in _compiled:
        for found in words.finditer(text):
            said = found.end() <= len(reason) if first else found.start() >= len(text) - len(reason)
            line = text.count("\n", 0, found.end())
            if line > last and (said or not row.broad or found.start() >= near):
                groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
                cause = _filled(row.cause, groups)
                best = Explanation(cause if said or not row.broad else f"most likely {cause}", _filled(row.fix, groups))
                last = line
    return best


def _filled(text: str, groups: dict[str, str]) -> str:
    """Put the groups in; what is left empty takes its parentheses along."""
    return text.format(**groups).replace(" ()", "")
