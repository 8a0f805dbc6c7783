FROM busybox:1.37 AS bundle
WORKDIR /out
COPY <<'api.toml' <<'passwd' /etc/release/
listen = 8080
log_format = json
api.toml
nonroot:x:65532:65532:nonroot:/:/sbin/nologin
passwd
# The sources are mounted for this one step; what it writes there is thrown away.
RUN --mount=type=bind,target=/src,readwrite=true \
    --mount=type=tmpfs,target=/tmp,size=64m \
    --network=none \
    <<EOF
set -e
cd /src
rm -f *_test.go
tar -cf /tmp/sources.tar .
gzip -9 < /tmp/sources.tar > /out/sources.tar.gz
EOF
# The key is a file for this one step, in no layer and in no history.
RUN --mount=type=secret,id=signing-key <<EOF
set -e
if [ -s /run/secrets/signing-key ]; then
    cat /run/secrets/signing-key sources.tar.gz | sha256sum | cut -d' ' -f1 > sources.tar.gz.sig
else
    echo unsigned > sources.tar.gz.sig
fi
EOF
RUN --mount=type=ssh \
    if [ -S "$SSH_AUTH_SOCK" ]; then echo "an agent is there"; else echo "no agent"; fi > /out/agent

FROM busybox:1.37 AS manifest
RUN --mount=type=bind,target=/bundle,source=/out,from=bundle cat <<REPORT > /manifest.txt
files: $(ls /bundle | wc -l)
signature: $(cat /bundle/sources.tar.gz.sig)
REPORT

FROM busybox:1.37 AS release
COPY --from=bundle /etc/release /etc/release
COPY --from=bundle /out/sources.tar.gz /out/sources.tar.gz.sig /srv/
COPY --from=manifest --chmod=0444 /manifest.txt /srv/
ENTRYPOINT ["cat", "/srv/manifest.txt"]
