ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv

FROM base AS build
COPY <<'EOF' /srv/service.py
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
EOF
RUN <<EOF
set -e
python -m compileall -q -b .
python -c 'import service'
EOF

FROM base AS service
COPY --from=build /srv/service.pyc ./
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --start-period=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["python", "service.pyc"]
