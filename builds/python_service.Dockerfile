ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv

FROM base AS build
COPY <<'EOF' requirements.txt
# name==version --hash=sha256:...
EOF
# The cache is what pip downloaded: it is mounted for this step, and in no layer.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/venv && \
    python -m pip --python /opt/venv install --require-hashes -r requirements.txt
COPY <<'EOF' service.py
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
    """One thread for each connection; those that still run are waited for at the end."""


class Handler(WSGIRequestHandler):
    timeout = 5  # seconds that a client may be silent


if __name__ == "__main__":
    # Process 1 gets no signal that it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = int(os.environ["PORT"])
    with make_server("", port, application, Server, Handler) as server:
        print(f"listening on {port}", file=sys.stderr)
        server.serve_forever()
EOF
RUN <<EOF
set -e
/opt/venv/bin/python -c 'import service'
/opt/venv/bin/python -m compileall -q service.py /opt/venv
EOF

FROM base AS service
ARG VERSION=dev
LABEL org.opencontainers.image.title="Python service" org.opencontainers.image.version=$VERSION
# The server and the probe read the same PORT: `docker run --env PORT=9000` moves both.
ENV PATH=/opt/venv/bin:$PATH PORT=8080
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv ./
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=500ms \
    CMD ["python", "-c", "import http.client, os, sys; server = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=2); server.request('GET', '/healthz'); sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["python", "service.py"]
