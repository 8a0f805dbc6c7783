"""Mistakes that type checkers must report: every line that ends in `# wrong`, and no other.

What only one of them can see ends in its name: mypy has a plugin for attrs, pyright knows what a list is to hold.
"""

import dockdsl
from dockdsl import (
    Add,
    Arg,
    Cache,
    Cmd,
    CommandCheck,
    Copy,
    Dockerfile,
    Env,
    Expose,
    FileCheck,
    Healthcheck,
    HttpCheck,
    Image,
    Run,
    Stage,
    render,
)
from dockdsl import Nonsense  # wrong
from dockdsl import WorkDir  # wrong

build = Stage("golang:1.27-alpine", name="build")
image = Image(Dockerfile(build))

dockdsl.Nonsense  # wrong
dockdsl.render("FROM scratch")  # wrong
render(build)  # wrong
Run(5)  # wrong
Run()  # wrong
Run("make", "install")  # wrong
Run("make", mount=Cache("/a"))  # wrong
Run("make", mounts="/a")  # wrong
Run("make", mounts=["/a"])  # wrong
Run("make", network="hosts")  # wrong
Run.exec(["make"])  # wrong
Run.chain(5)  # wrong
Copy("a")  # wrong
Copy("a", "b", "c")  # wrong
Copy("a", "b", from_=5)  # wrong
Copy("a", "b", from_=image)  # wrong
Copy("a", "b", link="yes")  # wrong
Copy("a", "b", chwon="1:1")  # wrong
Copy(5, "b")  # wrong
Add("a", "b", keep_git_dir="no")  # wrong
Arg(5)  # wrong
Cmd("a", "b")  # wrong
Env("A=b")  # wrong
Env(A="b")  # wrong
Expose(80.5)  # wrong
Healthcheck("true", intervall="10s")  # wrong
Healthcheck("true", retries="three")  # wrong
Cache("/a", sharing="all")  # wrong
Stage()  # wrong
Stage("scratch", nmae="build")  # wrong
Stage("scratch", steps=["RUN make"])  # wrong: pyright
Stage(5)  # wrong
Dockerfile("FROM scratch")  # wrong
Dockerfile(build, args=["A"])  # wrong: pyright
Dockerfile(build, escape="/")  # wrong
Image(build)  # wrong
Image(Dockerfile(build), tag="a")  # wrong
Image(Dockerfile(build), port="http")  # wrong
Image(Dockerfile(build), checks=["/healthz"])  # wrong
Image(Dockerfile(build), ready=5)  # wrong
Image(Dockerfile(build), healthcheck="/healthz")  # wrong
HttpCheck("/healthz")  # wrong
HttpCheck("GET", "/healthz", status="200")  # wrong
HttpCheck("GET", "/healthz", body=b"ok")  # wrong
FileCheck("/api", min_size=1.5)  # wrong
FileCheck("/api", kind="socket")  # wrong
CommandCheck(["/api"], exit_code="0")  # wrong
build.name = "other"  # wrong
