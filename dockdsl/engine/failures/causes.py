"""Why a build or a container failed: well-known failures as tables, and the search in them.

Programs give no error codes that could be looked up, so their words decide: those of the engine, of shells, of Go and
of other tools. A row is::

    : a regular expression for the words
    = the cause; {name} is what its group of that name found
    > the fix

``~`` in the place of ``:`` says that a program may print the words and continue: they count near the end of a log
alone, after who says them (``tar: /x:``), as the likely cause. An indented line continues the one above it. What was
said last counts, and of two rows that fit there the first. What a program quotes or compares, as tests do that fail, is
not why it failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs

from dockdsl.display import both_ends
from dockdsl.engine.building import LOG_LINES

_NEAR = 5
"""Lines at the end of a log in which words count that programs also print when they continue."""
_is_of_tests = re.compile(r"\s*(?:-+ FAIL|FAIL|not ok \d|E  |Failures?:|[✗✕✖×] |test result: FAILED)").match
_is_compared = re.compile(
    r"[\"'`“‘]$|\b(?:FAIL\w*|(?i:got|wants?|wanted|expect\w*|actual\w*|assert\w*|should))\b"
).search
_is_said = re.compile(r"(?:^|[:)\]!] *|\d *)$").search
_rows = re.compile(r"^([:~])((?:.+\n )*.+)\n=((?:.+\n )*.+)\n>((?:.+\n )*.+)", re.MULTILINE).findall


@attrs.frozen
class Explanation:
    """Why a step or a container failed, and what to do, in plain words."""

    cause: str
    fix: str


@attrs.frozen
class Row(Explanation):
    """A failure that is known, and the words that identify it."""

    words: str
    is_broad: bool


def _read(table: str) -> Iterator[Row]:
    for mark, words, cause, fix in _rows(table):
        yield Row(" ".join(cause.split()), " ".join(fix.split()), re.sub(r"\n\s+", "", words.strip()), mark == "~")


def first(rows: Iterable[Row], text: str) -> Row | None:
    """Return the first row whose words are in a text."""
    return next((row for row in rows if re.search(row.words, text)), None)


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
    is_program = reason.startswith("exit code: ")
    if any(map(_is_of_tests, shown)):
        shown = []
    text = "\n".join([reason, *shown] if is_program else [*shown, reason])
    near = len("\n".join(text.split("\n")[:-_NEAR]))
    best, last = None, -1
    for row in CAUSES:
        for found in re.finditer(row.words, text, re.MULTILINE):
            said = found.end() <= len(reason) if is_program else found.start() >= len(text) - len(reason)
            before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
            if not said and (_is_compared(before) or (row.is_broad and not _is_said(before))):
                continue
            is_sure = said or not row.is_broad
            line = text.count("\n", 0, found.end())
            if line > last and (is_sure or found.start() >= near):
                groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
                # What is left empty takes its parentheses along.
                cause, fix = (each.format(**groups).replace(" ()", "") for each in (row.cause, row.fix))
                best, last = Explanation(cause if is_sure else f"most likely {cause}", fix), line
    return best


CAUSES = tuple(
    _read(r"""
# --- where the result goes
: (?:invalid destination (?:file|directory):|failed to open open|synctarget dest dir) (?P<path>.+?):\s
= the result cannot be written to {path}
> name a path in dest= that you may write, in a folder that is there
# What is received may end before it is said why.
: failed to send stat .*EOF
= the result cannot be written to the folder that dest= names
> name a path in dest= that you may write, and that has room
: destination (?P<what>file|directory) (?P<path>.+) is a (?P<found>file|directory)
= dest= is to name a {what}, and {path} is a {found}
> take another path; type=local writes a folder, and type=oci, docker and tar a file
: tag is needed when pushing to registry
= no tag says where the image is to be pushed to
> give it one that begins with the registry: tags="HOST/NAME:TAG", or --tag
# --- Go
: go\.mod requires go >= (?P<wanted>[\w.]+) \(running go (?P<has>[\w.]+)
= the Go of this stage is {has}, and go.mod asks for {wanted} or newer
> take a base image with Go {wanted} or newer, or lower the go line of go.mod; with GOTOOLCHAIN=auto, Go fetches the
    newer one itself
: error obtaining VCS status: (?P<said>.*)
= Go wants to write the commit into the program, and git does not answer in the build ({said})
> build with -buildvcs=false, or leave .git out by .dockerignore; for "dubious ownership" run git config --global
    --add safe.directory '*' before
: missing go\.sum entry for (?:module providing package |go\.mod file; to add it:|)(?P<name>\S*)
= go.sum in the context does not have the sum of a module that is used ({name})
> run go mod tidy on your machine, and copy go.sum beside go.mod
: go: (?:go\.mod file not found in current directory|cannot find main module)
= there is no go.mod in the working directory of the step
> copy go.mod before this step, and set Workdir to the folder that has it
# --- certificates and the network
~ x509: certificate signed by unknown authority|unable to get local issuer certificate
    |[Cc]ertificate verification failed|certificate verify failed|SSL certificate problem|not enough trusted
    |self.signed certificate
= the certificate of the other side is signed by nobody who is trusted here
> install ca-certificates in this stage, or copy your proxy's or company's certificate in; on scratch copy
    /etc/ssl/certs/ca-certificates.crt from the stage before
~ bad address '(?P<a>[^']+)'|[Cc]ould not resolve(?: host:?)? '?(?P<b>[^'\s]+)|lookup (?P<c>\S+)[^\n]*: no such host
    |Temporary failure in name resolution|Name or service not known|EAI_AGAIN
= a name is not found in the network ({a}{b}{c})
> check the name, and the DNS of the engine; a step with network="none" reaches nothing
~ [Nn]etwork is unreachable|[Nn]o route to host
= the network is not reachable
> check the network of the engine and its proxy; a step with network="none" reaches nothing
~ [Cc]onnection refused
= nothing listens at the address that is asked
> check address and port; localhost is the step or the container itself, and not your machine
~ (?:response|invalid response) status(?: code)?:? (?P<a>[45]\d\d[^\n]*)
    |server returned error: HTTP/\S+ (?P<b>[45]\d\d[^\n]*)
= the server answers {a}{b}
> check the address, and whether it asks for a login
: digest mismatch (?P<has>\S+): (?P<wanted>\S+)
= what is downloaded is not what checksum= names (it is {has})
> see whether it was published again; if you trust it, write its checksum
: no SSH key \"(?P<id>[^\"]+)\" forwarded|unset ssh forward key|ssh.*Permission denied \(publickey
= the step wants an SSH agent, and the build was given none
> give it: ssh="default" in the Image, or --ssh default, with an agent that holds your key (ssh-add -l)
: failed to convert agent config
= there is no SSH agent and no key at the place that is named
> check the path in ssh= or --ssh; ssh="default" takes the agent of SSH_AUTH_SOCK
: git stderr:\s*: exec: \"git\": executable file not found
= the engine has no git, with which it gets a repository
> install git on the engine's machine, or check the repository out and pass its folder
: [Hh]ost key verification failed
= the step does not know the key of the SSH server
> put the server's key into /root/.ssh/known_hosts before, as ssh-keyscan prints it
# --- secrets and mounts
: (?:can't open|cannot open|No such file or directory:?) '?(?P<path>/run/secrets/[^\s':]+)
    |(?P<path2>/run/secrets/[^\s':]+): No such file or directory
= the secret that is read is not there ({path}{path2}): the build was not given it, or its step is over
> name it in the Image, secrets="id=…,env=…" or "id=…,src=…", or as --secret; Secret(…, required=True) says so
    earlier
~ [Nn]o space left on device
= a disk is full: that of the engine, or a tmpfs mount of the step
> free it (docker system df, docker builder prune), or give Tmpfs a larger size
~ [Rr]ead-only file system
= what is written to is read-only
> write elsewhere; a step may write to what Bind(…, readwrite=True) mounts, and it is
    dropped after the step; Hardened(tmpfs=…) gives a container folders to write to
# --- programs
: (?i)(?:exec|sh:.*) \S+: exec format error|cannot execute binary file
= the program is for another kind of processor, or is a script without a #! line
> build it for the stage's platform (GOARCH, --platform), or start the script with #!/bin/sh
: exec: \"(?P<shell>/bin/sh|cmd|/bin/bash|/bin/ash|bash|sh)\": (?:stat \S+: no such file|executable file not found)
= the stage has no {shell}: its base is scratch or a distroless image, or lacks that shell
> take the exec form (Run.exec, Cmd.exec) with a program that the stage has, or do it in a stage that has a shell
: exec: \"(?P<program>[^\"]+)\": (?:stat \S+: no such file or directory|executable file not found in \$?PATH)
= the stage has no program {program}
> install it in this stage, or check its path and spelling
: exec: \"(?P<program>[^\"]+)\": is a directory
= {program} is a folder, not a program
> name the program in it
: exec: \"(?P<program>[^\"]+)\": (?:stat \S+: )?permission denied|\Aexit code: 126(?s:.*)(?:^
    |: )(?P<path>/[^\s:]+): Permission denied|exec (?P<path2>\S+): permission denied
= {program}{path}{path2} may not be run: its x bit is missing
> copy it with chmod="755", or set the bit in the context and commit it (git update-index --chmod=+x)
: fork/exec (?P<path>/\S+): no such file or directory
= {path} is not there, or what it needs to start is not: the loader of a dynamic program, or an interpreter
> check its path; link it statically (CGO_ENABLED=0 for Go); give a script LF line ends
: exec (?P<path>/\S+): no such file or directory
= {path} is there, and what it needs to start is not: the loader of a dynamic program, or the interpreter of its #!
    line (a script with CRLF line ends asks for one that no system has)
> link it statically (CGO_ENABLED=0 for Go), or take a base image with the same C library; give a script LF line
    ends
: \Aexit code: 0\b
= its first process ended, and a container with it
> keep the server in the foreground (httpd -f), and do not start it with & at the end
: \Aexit code: 127\b
= the shell does not find a program that the command names
> install it in this stage, or check its spelling and PATH; a script with CRLF line ends, or a dynamic program
    without its loader, looks the same
: \Aexit code: 126\b
= a file that the command names is not an executable program
> copy it with chmod="755", and check that it is a program or a script
: \Aexit code: 137\b|signal: killed
= the command was killed from outside, most often because the memory ran out
> give the engine more memory, or do less at once (go build -p 1, make -j1)
~ \Aexit code: 139\b|[Ss]egmentation fault
= the program crashed (segmentation fault)
> check that it and its libraries are of the same system; musl and glibc do not mix
: unable to find (?P<what>user|group) (?P<name>\S+?):? no matching entries|invalid user(?:/group)? index
    |no such (?:user|group)|no matching entries in (?:passwd|group) file
= the stage does not know the user or group ({name})
> make it before (useradd, adduser), or write its number, which needs no entry: User("65532:65532")
~ [Pp]ermission denied|Operation not permitted|EACCES
= the user that it runs as may not do that
> do it before the User instruction, or give the file to that user with chown=
# --- options
: (?P<what>Cache export|Attestation|OCI exporter|Docker exporter
    |Multi-platform build)[\w ]* not supported for the (?P<driver>\S+) driver
= {what}: the engine's own builder cannot do this with its classic image store
> turn on the engine's containerd image store, or take another builder (docker buildx create, then --builder)
: "rewrite-timestamp" conflicts with "unpack"
= the engine's own builder cannot rewrite times in what it keeps itself
> load the image and push it with docker push, write it with output="type=oci,dest=…", or take another builder
: make sure SSH_AUTH_SOCK is set
= there is no SSH agent whose keys the build could use
> start one (eval $(ssh-agent); ssh-add), or name the key: ssh="default=PATH"
: oci-layout reference \"(?P<ref>[^\"]+)\" could not be resolved
= there is no OCI layout at {ref}
> check the path: it is that of a folder with an index.json, and a tag or digest may follow it
: invalid SOURCE_DATE_EPOCH
= SOURCE_DATE_EPOCH in the environment is not a number of seconds
> set it to the seconds since 1970, or unset it
: docker exporter does not[\w ]* support exporting manifest lists
= this form of an image holds one platform alone, also on its way of a reproducible build into the engine
> build one platform at a time, or write it with output="type=oci,dest=…", or push it
: syntax error in pattern
= a pattern of what is left out of the context is not valid
> see .dockerignore or ignore=; each "[" has its "]"
: string field contains invalid UTF-8
= a file of the context has a name that is not UTF-8, and BuildKit does not accept such a file
> rename it, or leave it out of the context with .dockerignore or ignore=
# --- instructions
: network\.host is not allowed
= a step wants the host's network, which a build must allow
> allow it: allow="network.host" in the Image, or --allow network.host
: security\.insecure is not allowed
= a step wants to run without the sandbox, which a build must allow
> allow it: allow="security.insecure" in the Image, or --allow security.insecure, with a builder that may
: cannot copy to non-directory: (?P<path>\S+)|cannot replace to directory (?P<path2>\S+) with file
= a folder would take the place of a file, or a file that of a folder
> write a destination that is not there yet, or one that ends with a slash
: When using (?:COPY|ADD) with more than one source file, the destination must be a directory and end with a /
= several sources go to one destination that is not a folder
> end the destination with a slash
~ not a directory
= a part of the path is a file
> choose a path whose folders are folders
: repository name \((?:library/)?(?P<name>[^)]+)\) must be lowercase
= the name of an image, {name}, is not in lower case
> write it in lower case, where it stands: in a stage, a context, a cache, a tag or a build argument
: base name \((?P<name>.*?)\) should not be blank|invalid reference format
= the name of an image is empty or not valid once its arguments are filled in
> give the argument a default, or a value with build_args= or --build-arg
~ \b(?P<name>\w+): (?:parameter not set|unbound variable)
= the command uses the variable {name}, which is not set in this stage
> declare it in this stage: Arg("{name}") takes a build argument in, Env sets one
: failed to process \"(?:[^\"\\]|\\.)*\": (?P<said>[^\n]*)
= a variable that the instruction needs has no value ({said})
> give it a value with build_args= or --build-arg, or a default
: fatal: (?P<said>repository '[^']*' not found|could not read Username[^\n]*|Authentication failed[^\n]*
    |remote error: access denied or repository not exported: \S+|'[^']*' does not appear to be a git repository)
= git does not get the repository ({said})
> check its address, and give the build what it logs in with, ssh= or a secret
""")
)
"""Why a step, a container or a build failed."""

UNAVAILABLE = tuple(
    _read(r"""
# Without the plugin, the docker command takes the options of `buildx` for its own.
: unknown command: docker buildx|'buildx' is not a docker command|unknown flag: --progress
= the docker command has no buildx plugin
> install docker-buildx (Debian, Ubuntu) or docker-buildx-plugin (Docker's own packages)
: invalid progress mode
= the buildx plugin is too old to report its progress as JSON
> install version 0.13 or later
: permission denied while trying to connect|connect: permission denied
= the permission to use the container engine is missing
> join the group that owns its socket (most often docker) and log in again, or run as that user
: Cannot connect to the Docker daemon|failed to connect to the docker API|error during connect
    |Is the docker daemon running
= the container engine does not answer
> start it, or check DOCKER_HOST and `docker context ls`
: docker endpoint for "[^"]*" not found
= the address of the container engine cannot be read
> check DOCKER_HOST and `docker context ls`
: client version \S+ is too (?:new|old)|page not found: driver not connecting
= the container engine does not speak the version of the API that the docker command asks for
> unset DOCKER_API_VERSION, or update the older of both
: no builder "[^"]*" found|context not found|failed to find driver
= the builder or the docker context does not exist
> check --builder, BUILDX_BUILDER and DOCKER_CONTEXT against `docker buildx ls`
: use `[^`]*` to switch to context "[^"]*"
= the builder is the engine of another docker context
> name no builder, and set DOCKER_CONTEXT to it and no DOCKER_HOST
""")
)
"""Why there is nothing to build with."""

NO_IMAGE = tuple(
    _read(r"""
: unknown scheme oci-layout
= cannot be had, since the engine's own builder reads no OCI layouts with its classic image store
> turn on the engine's containerd image store, or take another builder (docker buildx create, then --builder)
: x509:|certificate
= is not on this machine, and the engine does not trust its registry's certificate
> put the certificate of who signed it into /etc/docker/certs.d/HOST/ca.crt on the engine's machine
: failed to do request|dial tcp|no such host|i/o timeout|connection refused|TLS handshake|x509:|network is unreachable
= is not on this machine, and its registry cannot be reached
> check the network, or load the image from an archive
: toomanyrequests|429 Too Many
= cannot be had, since its registry limits how much it gives to this address
> `docker login` to it, wait, or take the image from a mirror
: no match for platform
= cannot be had, since it is not made for that platform
> check platform=, or take an image that is made for it
: denied|authorization|unauthorized|40[13]\s
= cannot be had, since its registry denies it: it wants a login, or has no such image
> `docker login` to its registry, or check the name
: not found|(?:name|manifest) unknown
= cannot be had, since its registry does not have it
> check its name and tag
""")
)
"""Why a base image cannot be had; the cause follows the name of the image."""

NOT_PUSHED = tuple(
    _read(r"""
: server gave HTTP response to HTTPS client
= the registry uses HTTP without TLS, which the engine does not trust
> give the registry a certificate, or name it among "insecure-registries" in the engine's daemon.json
: x509:|certificate
= the engine does not trust the registry's certificate
> put the certificate of who signed it into /etc/docker/certs.d/HOST/ca.crt on the engine's machine
: toomanyrequests|(?:: |HTTP )429\b
= the registry limits how much it takes from this account or address
> wait and push again, or `docker login` with an account that may push more
: ^unauthorized|(?:: |HTTP )401\b|no basic auth|authentication required
= the registry wants a login
> `docker login` to it with an account that may push there
: denied|authorization|(?:: |HTTP )403\b
= the registry denies it: it wants a login, or the account may not push to that name
> `docker login` to it, and check the tag: it begins with the registry and a name that is yours
: (?:: |HTTP )5\d\d\b
= the registry has an error of its own
> push again later, or see its log
: no such host
= the registry's name is not found in the network
> check the host with which the tag begins, and the engine's DNS
: failed to do request|dial tcp|no such host|i/o timeout|connection refused|TLS handshake|x509:|network is unreachable
= the registry cannot be reached
> check the host and port with which the tag begins, that the registry runs, and the engine's network and proxy
: ^unknown|(?:: |HTTP )404\b|name unknown
= the registry does not know the name
> make the repository there, or check the tag
""")
)
"""Why a registry does not take an image or a cache."""
