FROM --platform=$BUILDPLATFORM golang:1.27-alpine AS build
WORKDIR /src
# The pattern: go.sum holds the checksums of what is downloaded, and exists once a module is required.
COPY go.mod go.sum* ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . ./
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG REVISION=unknown
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    export CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH && \
    go build -trimpath -ldflags="-s -w -X main.version=$VERSION -X main.revision=$REVISION" -o /out/api .

FROM scratch AS api
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Go API" \
    org.opencontainers.image.description="A REST API of notes" \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.revision=$REVISION
COPY --from=build /out/api /api
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=500ms \
    CMD ["/api", "healthcheck"]
ENTRYPOINT ["/api"]
