"""The image of dockdsl's frontend for BuildKit: Python, dockdsl, and what speaks HTTP/2.

The context is a folder of wheels, all of pure Python, so that the build needs no network, and no platform is emulated
to build for it: `make frontend` fills the folder and builds the image.
"""

from dockdsl import (
    Bind,
    CommandCheck,
    Comment,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    FileCheck,
    Image,
    Label,
    MetadataCheck,
    Run,
    Stage,
    __version__,
)

BASE = "python:3.13-slim"
HOME, COMPILED = "/opt/dockdsl", "/opt/compiled"
UNUSED = "cli|compare|lint|migrate"
USED = "import dockdsl.frontend.__main__; from dockdsl import *"
CAPABILITIES = ("inputs", "subrequests", "contexts")
labels = {
    "moby.buildkit.frontend.caps": ",".join(f"moby.buildkit.frontend.{each}" for each in CAPABILITIES),
    "moby.buildkit.frontend.network.none": "true",
    "org.opencontainers.image.title": "dockdsl frontend",
}

wheels = Stage(
    BASE,
    name="wheels",
    platform="$BUILDPLATFORM",
    steps=[
        Comment(
            "A wheel of pure Python is installed when it is unpacked, and compiled code is the same on each platform."
        ),
        Env({"PYTHONPATH": HOME, "PYTHONPYCACHEPREFIX": COMPILED}),
        Run.script(
            f"""
            for wheel in /wheels/*-none-any.whl; do python3 -m zipfile -e "$wheel" {HOME}; done
            python3 -m compileall -q -x '/dockdsl/({UNUSED})/' --invalidation-mode unchecked-hash {HOME}
            # What is used of Python itself, which is not compiled in every image of it.
            python3 -PS -c '{USED}'
            """,
            mounts=[Bind("/wheels")],
            network="none",
        ),
    ],
)

frontend = Stage(
    BASE,
    name="frontend",
    steps=[
        Copy(HOME, HOME, from_=wheels),
        Copy(COMPILED, COMPILED, from_=wheels),
        Env({"PYTHONPATH": HOME, "PYTHONPYCACHEPREFIX": COMPILED}),
        Label(labels),
        Comment("No folder but that one is searched for modules, since the user's files are none of the program's."),
        Entrypoint.exec("python3", "-BPS", f"{HOME}/dockdsl/frontend/__main__.py"),
    ],
)

image = Image(
    Dockerfile(frontend),
    context="../.cache/frontend",
    tags=[f"dockdsl-frontend:{__version__}"],
    checks=[
        CommandCheck(["python3", "-c", "import dockdsl; print(dockdsl.__version__)"], stdout=__version__),
        CommandCheck([], entrypoint=True, exit_code=2, stderr="BuildKit starts this"),
        FileCheck(f"{HOME}/h2/connection.py"),
        MetadataCheck(labels=labels),
    ],
)
