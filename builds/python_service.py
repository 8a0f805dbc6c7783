"""A Python service: compiled to bytecode in one stage, run without a package manager in another.

The service itself is the standard library's WSGI server with one small application, written in place.
"""

from textwrap import dedent

from dockdsl import Arg, Copy, Dockerfile, Entrypoint, Env, Expose, Healthcheck, Run, Stage, User, Workdir

PYTHON = Arg("PYTHON_VERSION", "3.13")

APPLICATION = dedent("""\
    import json
    import os
    import sys
    from wsgiref.simple_server import make_server


    def application(environ, start_response):
        found = environ["PATH_INFO"] == "/healthz"
        start_response("200 OK" if found else "404 Not Found", [("Content-Type", "application/json")])
        return [json.dumps({"status": "ok" if found else "not found"}).encode()]


    if __name__ == "__main__":
        port = int(os.environ.get("PORT", "8080"))
        print(f"listening on {port}", file=sys.stderr, flush=True)
        make_server("", port, application).serve_forever()
    """)

PROBE = "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"

base = Stage(
    f"python:${{{PYTHON.name}}}-slim",
    name="base",
    steps=[Env({"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}), Workdir("/srv")],
)

build = Stage(
    base,
    name="build",
    steps=[
        Copy.text(APPLICATION, "/srv/service.py"),
        Run.script("""
            python -m compileall -q -b .
            python -c 'import service'
        """),
    ],
)

service = Stage(
    base,
    name="service",
    steps=[
        Copy("/srv/service.pyc", "./", from_=build),
        User("65532:65532"),
        Expose(8080),
        Healthcheck.exec("python", "-c", PROBE, interval="10s", start_period="5s"),
        Entrypoint.exec("python", "service.pyc"),
    ],
)

dockerfile = Dockerfile(service, args=[PYTHON])
