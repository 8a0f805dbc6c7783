"""A release that needs secrets: heredocs, bind mounts, a secret and an SSH agent, none of which stays in the image.

Build it with ``--secret id=signing-key,src=…`` and ``--ssh default``; without them the optional steps say so and go on.
"""

from dockdsl import Bind, Comment, Copy, Dockerfile, Entrypoint, Heredoc, Run, Secret, Ssh, Stage, Tmpfs, Workdir

configuration = Copy(
    [
        Heredoc("listen = 8080\nlog_format = json\n", "api.toml"),
        Heredoc("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n", "passwd"),
    ],
    "/etc/release/",
)

sources = Bind("/src", readwrite=True)
scratchpad = Tmpfs("/tmp", size="64m")

bundle = Stage(
    "busybox:1.37",
    name="bundle",
    steps=[
        Workdir("/out"),
        configuration,
        Comment("The sources are mounted for this one step; what it writes there is thrown away."),
        Run.script(
            """
            cd /src
            rm -f *_test.go
            tar -cf /tmp/sources.tar .
            gzip -9 < /tmp/sources.tar > /out/sources.tar.gz
            """,
            mounts=[sources, scratchpad],
            network="none",
        ),
        Comment("The key is a file for this one step, in no layer and in no history."),
        Run.script(
            """
            if [ -s /run/secrets/signing-key ]; then
                cat /run/secrets/signing-key sources.tar.gz | sha256sum | cut -d' ' -f1 > sources.tar.gz.sig
            else
                echo unsigned > sources.tar.gz.sig
            fi
            """,
            mounts=[Secret("signing-key")],
        ),
        Run(
            'if [ -S "$SSH_AUTH_SOCK" ]; then echo "an agent is there"; else echo "no agent"; fi > /out/agent',
            mounts=[Ssh()],
        ),
    ],
)

manifest = Stage(
    "busybox:1.37",
    name="manifest",
    steps=[
        Run(
            "cat <<REPORT > /manifest.txt\n"
            "files: $(ls /bundle | wc -l)\n"
            "signature: $(cat /bundle/sources.tar.gz.sig)\n"
            "REPORT",
            mounts=[Bind("/bundle", source="/out", from_=bundle)],
        ),
    ],
)

release = Stage(
    "busybox:1.37",
    name="release",
    steps=[
        Copy("/etc/release", "/etc/release", from_=bundle),
        Copy(["/out/sources.tar.gz", "/out/sources.tar.gz.sig"], "/srv/", from_=bundle),
        Copy("/manifest.txt", "/srv/", from_=manifest, chmod="0444"),
        Entrypoint.exec("cat", "/srv/manifest.txt"),
    ],
)

dockerfile = Dockerfile(release)
