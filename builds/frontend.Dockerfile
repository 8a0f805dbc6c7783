FROM --platform=$BUILDPLATFORM python:3.13-slim AS wheels
# A wheel of pure Python is installed when it is unpacked, and compiled code is the same on each platform.
ENV PYTHONPATH=/opt/dockdsl PYTHONPYCACHEPREFIX=/opt/compiled
RUN --mount=type=bind,target=/wheels --network=none <<EOF
set -e
for wheel in /wheels/*-none-any.whl; do python3 -m zipfile -e "$wheel" /opt/dockdsl; done
python3 -m compileall -q -x '/dockdsl/(cli|compare|lint|migrate)/' --invalidation-mode unchecked-hash /opt/dockdsl
# What is used of Python itself, which is not compiled in every image of it.
python3 -PS -c 'import dockdsl.frontend.__main__; from dockdsl import *'
EOF

FROM python:3.13-slim AS frontend
COPY --from=wheels /opt/dockdsl /opt/dockdsl
COPY --from=wheels /opt/compiled /opt/compiled
ENV PYTHONPATH=/opt/dockdsl PYTHONPYCACHEPREFIX=/opt/compiled
LABEL moby.buildkit.frontend.caps=moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts \
    moby.buildkit.frontend.network.none=true \
    org.opencontainers.image.title="dockdsl frontend"
# No folder but that one is searched for modules, since the user's files are none of the program's.
ENTRYPOINT ["python3", "-BPS", "/opt/dockdsl/dockdsl/frontend/__main__.py"]
