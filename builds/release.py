"""A release as files: a reproducible archive of the sources, their checksums and a signature.

```
openssl genpkey -algorithm ed25519 -out key.pem
docker buildx build -f builds/release.Dockerfile --output dist \\
    --secret id=signing-key,src=key.pem --build-arg SIGNER=me go_app
openssl pkey -in key.pem -pubout -out public.pem
openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in dist/SHA256SUMS -sigfile dist/SHA256SUMS.sig
```

Without the key or its name the build fails. No secret is part of a cache key, so the step that signs would be taken
from the cache under another key, too. `SIGNER`, the name of the key, is part of it: give each key its own.
"""

from dockdsl import Arg, Bind, Comment, Copy, Dockerfile, Heredoc, Run, Secret, Stage, Workdir

TOOLS = "python:3.13-slim"  # an image with GNU tar and openssl

archive = Stage(
    TOOLS,
    name="archive",
    steps=[
        Workdir("/out"),
        Arg("SOURCE_DATE_EPOCH", "0"),
        Comment("The same sources make the same bytes: neither order, times nor owners depend on the machine."),
        Run.script(
            """
            tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \\
                --exclude='*_test.go' -C /src -cf sources.tar .
            gzip -9n sources.tar
            """,
            mounts=[Bind("/src")],
            network="none",
        ),
        Copy(
            [
                Heredoc("PORT=8080\nLOG_LEVEL=info\n", "api.env"),
                Heredoc("docker run --env-file api.env -p 8080:8080 go-api:dev\n", "RUN.txt"),
            ],
            "./",
        ),
    ],
)

signature = Stage(
    TOOLS,
    name="signature",
    steps=[
        Workdir("/out"),
        Arg("SIGNER"),
        Comment("The key is a file for this one step, in no layer and in no history."),
        Run.script(
            """
            : "${SIGNER:?give --build-arg SIGNER=, the name of the key}"
            (cd /archive && sha256sum *) > SHA256SUMS
            openssl pkeyutl -sign -rawin -inkey /run/secrets/signing-key -in SHA256SUMS -out SHA256SUMS.sig
            """,
            mounts=[Bind("/archive", source="/out", from_=archive), Secret("signing-key", required=True)],
            network="none",
        ),
    ],
)

release = Stage(
    "scratch",
    name="release",
    comment="Nothing runs here: these are files for --output.",
    steps=[
        Copy("/out/", "/", from_=archive),
        Copy("/out/", "/", from_=signature, chmod="0444"),
    ],
)

dockerfile = Dockerfile(release)
