FROM python:3.13-slim AS archive
WORKDIR /out
ARG SOURCE_DATE_EPOCH=0
# The same sources make the same bytes: neither order, times nor owners depend on the machine.
RUN --mount=type=bind,target=/src --network=none <<EOF
set -e
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --exclude='*_test.go' -C /src -cf sources.tar .
gzip -9n sources.tar
EOF
COPY <<'api.env' <<'RUN.txt' ./
PORT=8080
LOG_LEVEL=info
api.env
docker run --env-file api.env -p 8080:8080 go-api:dev
RUN.txt

FROM python:3.13-slim AS signature
WORKDIR /out
ARG SIGNER
# The key is a file for this one step, in no layer and in no history.
RUN --mount=type=bind,target=/archive,source=/out,from=archive \
    --mount=type=secret,id=signing-key,required=true \
    --network=none \
    <<EOF
set -e
: "${SIGNER:?give --build-arg SIGNER=, the name of the key}"
(cd /archive && sha256sum *) > SHA256SUMS
openssl pkeyutl -sign -rawin -inkey /run/secrets/signing-key -in SHA256SUMS -out SHA256SUMS.sig
EOF

# Nothing runs here: these are files for --output.
FROM scratch AS release
COPY --from=archive /out/ /
COPY --from=signature --chmod=0444 /out/ /
