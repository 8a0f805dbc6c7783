FROM golang:1.27-alpine AS base
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
WORKDIR /src

# The toolchain, the sources and their tests: for people.
FROM base AS dev
COPY . ./
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go vet ./...
EXPOSE 8080
CMD ["go", "run", "."]

# The sources are mounted, not copied: this stage leaves nothing but the binary.
FROM base AS build
ARG VERSION=dev
RUN --mount=type=bind,target=/src \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    go build -ldflags='-s -w' -o /out/api . && \
    /out/api version

FROM scratch AS api
ARG VERSION=dev
LABEL org.opencontainers.image.title="Go API" org.opencontainers.image.version=${VERSION}
COPY --from=build --link /out/api /api
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/api"]
