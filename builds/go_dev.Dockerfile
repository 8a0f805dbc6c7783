FROM --platform=$BUILDPLATFORM golang:1.27-alpine AS base
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
WORKDIR /src

# For people: a shell with the toolchain, the sources and a warm build cache.
FROM base AS dev
# Anybody may write here, so that the container can run as the user of the host.
ENV GOCACHE=/var/cache/go/build GOMODCACHE=/var/cache/go/mod
RUN mkdir -p -m 0777 /var/cache/go/build /var/cache/go/mod
USER 1000:1000
COPY . ./
# Without a cache mount: the cache stays in the image.
RUN umask 0 && \
    go vet ./... && \
    go test ./... && \
    go build -o /dev/null .
EXPOSE 8080
# A shell ignores SIGTERM, so `docker stop` would wait for ten seconds.
STOPSIGNAL SIGKILL
CMD ["sh"]

# The sources are mounted, not copied: this stage leaves nothing but the binary.
FROM base AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN --mount=type=bind,target=/src \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags="-s -w -X main.version=$VERSION" -o /out/api .

FROM scratch AS api
ARG VERSION=dev
LABEL org.opencontainers.image.title="Go API" org.opencontainers.image.version=${VERSION}
COPY --from=build --link /out/api /api
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=500ms \
    CMD ["/api", "healthcheck"]
ENTRYPOINT ["/api"]
