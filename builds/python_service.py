"""A Python service: its dependencies are installed in one stage, and copied into another as a virtual environment.

The service itself is the standard library's WSGI server with one small application, written in place. It requires
nothing, so the build needs no network; a line in `REQUIREMENTS`, with its hash, is all that a dependency takes.
"""

from textwrap import dedent

from dockdsl import (
    Arg,
    Cache,
    Comment,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Run,
    Stage,
    User,
    Workdir,
)

PYTHON = Arg("PYTHON_VERSION", "3.13")

REQUIREMENTS = dedent("""\
    # name==version --hash=sha256:...
    """)

APPLICATION = dedent("""\
    import json
    import os
    import signal
    import sys
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


    def application(environ, start_response):
        found = environ["PATH_INFO"] == "/healthz"
        start_response("200 OK" if found else "404 Not Found", [("Content-Type", "application/json")])
        return [json.dumps({"status": "ok" if found else "not found"}).encode()]


    class Server(ThreadingMixIn, WSGIServer):
        \"\"\"One thread for each connection; those that still run are waited for at the end.\"\"\"


    class Handler(WSGIRequestHandler):
        timeout = 5  # seconds that a client may be silent


    if __name__ == "__main__":
        # Process 1 gets no signal that it has no handler for.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        port = int(os.environ["PORT"])
        with make_server("", port, application, Server, Handler) as server:
            print(f"listening on {port}", file=sys.stderr)
            server.serve_forever()
    """)

PROBE = (
    "import http.client, os, sys; "
    "server = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); "
    "server.request('GET', '/healthz'); "
    "sys.exit(server.getresponse().status != 200)"
)

base = Stage(
    f"python:${{{PYTHON.name}}}-slim",
    name="base",
    steps=[Env({"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}), Workdir("/srv")],
)

build = Stage(
    base,
    name="build",
    steps=[
        Copy.text(REQUIREMENTS, "requirements.txt"),
        Comment("The cache is what pip downloaded: it is mounted for this step, and in no layer."),
        Run.chain(
            "python -m venv --without-pip /opt/venv",
            "python -m pip --python /opt/venv install --require-hashes -r requirements.txt",
            mounts=[Cache("/root/.cache/pip")],
        ),
        Copy.text(APPLICATION, "service.py"),
        Run.script("""
            /opt/venv/bin/python -c 'import service'
            /opt/venv/bin/python -m compileall -q service.py /opt/venv
        """),
    ],
)

service = Stage(
    base,
    name="service",
    steps=[
        Arg("VERSION", "dev"),
        Label({"org.opencontainers.image.title": "Python service", "org.opencontainers.image.version": "$VERSION"}),
        Comment("The server and the probe read the same PORT: `docker run --env PORT=9000` moves both."),
        Env({"PATH": "/opt/venv/bin:$PATH", "PORT": "8080"}),
        Copy("/opt/venv", "/opt/venv", from_=build),
        Copy("/srv", "./", from_=build),
        User("65532:65532"),
        Expose(8080),
        Healthcheck.exec(
            "python", "-c", PROBE, interval="30s", timeout="3s", start_period="10s", start_interval="500ms"
        ),
        Entrypoint.exec("python", "service.py"),
    ],
)

dockerfile = Dockerfile(service, args=[PYTHON])
