"""Sets of the builder pattern, in the shapes that people have: each ends in an image whose program answers on 8080."""

from __future__ import annotations

from tests.migrate.shapes import SHAPES

# Without net/http, of which compiling takes most of a minute.
MAIN = """\
package main

import (
	"bufio"
	"net"
	"os"
)

func answer(connection net.Conn) {
	defer connection.Close()
	lines := bufio.NewScanner(connection)
	for lines.Scan() && lines.Text() != "" {
	}
	page, err := os.ReadFile("/srv/page.txt")
	if err != nil {
		page = []byte("no page\\n")
	}
	connection.Write(append([]byte("HTTP/1.0 200 OK\\r\\n\\r\\n"), page...))
}

func main() {
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		panic(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go answer(connection)
	}
}
"""
MODULE = "module example.com/app\n\ngo 1.22\n"
BUILDER = """\
FROM golang:1.27-alpine
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build \\
    -o app .
"""
RUNTIME = """\
FROM scratch
COPY app /
EXPOSE 8080
ENTRYPOINT ["/app"]
"""
GO = {"main.go": MAIN, "go.mod": MODULE}
PAIR = GO | {"Dockerfile.build": BUILDER, "Dockerfile": RUNTIME}

SETS: dict[str, dict[str, str]] = {
    "script": PAIR
    | {
        "build.sh": """\
#!/bin/sh
set -e
echo Building example/app:build

docker build --build-arg https_proxy=$https_proxy --build-arg http_proxy=$http_proxy \\
    -t example/app:build . -f Dockerfile.build

docker container create --name extract example/app:build
docker container cp extract:/src/app ./app
docker container rm -f extract

echo Building example/app:latest
docker build --no-cache -t example/app:latest .
rm ./app
"""
    },
    "makefile": PAIR
    | {
        "Makefile": """\
IMAGE ?= example/made
BUILDER := $(IMAGE)-builder

.PHONY: all clean
all: image

app: Dockerfile.build main.go
\tdocker build -f $< -t $(BUILDER) .
\t-@docker rm -f extract 2>/dev/null
\tdocker create --name extract $(BUILDER)
\tdocker cp extract:/src/$@ $(CURDIR)/$@
\tdocker rm -f extract

image: app
\t@docker build \\
\t\t-t $(IMAGE):latest .

clean:
\trm -f app
"""
    },
    "printed": PAIR
    | {
        "build.sh": """\
docker build -t app-builder -f Dockerfile.build .
docker run --rm app-builder cat /src/app > app
chmod +x app
docker build -t example/printed .
"""
    },
    "mounted": GO
    | {
        "Dockerfile": RUNTIME.replace("COPY app /", "COPY bin/app /"),
        "build.sh": """\
#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
docker run --rm -v "$PWD":/src -w /src -e CGO_ENABLED=0 golang:1.27-alpine \\
  go build -o bin/app .
docker build -t example/mounted .
""",
    },
    "several": GO
    | {
        "page.txt": "several\n",
        "Dockerfile.build": BUILDER.replace("go.mod main.go ./", ". .")
        + "RUN mkdir -p /out/site && cp page.txt /out/site/ && mv app /out/server\n",
        "Dockerfile": 'FROM scratch\nCOPY dist/app /bin/\nCOPY site /srv/\nEXPOSE 8080\nENTRYPOINT ["/bin/app"]\n',
        "build.sh": """\
set -e
docker build -t several:build -f Dockerfile.build .
id=$(docker create several:build)
mkdir -p dist
docker cp $id:/out/server dist/app
docker cp "$id":/out/site/. site/
docker rm -v $id
docker build -t several:1 .
""",
    },
    "add": PAIR
    | {
        "Dockerfile": RUNTIME.replace("COPY app /", "ADD ./app /"),
        "build.sh": """\
docker image build --tag added:build --file Dockerfile.build .
docker container run --name added added:build true
docker cp added:/src/app .
docker rm added
docker image build --tag added:latest .
""",
    },
    "archive": GO
    | {
        "page.txt": "archive\n",
        "Dockerfile.build": BUILDER.replace("main.go ./", "main.go page.txt ./")
        + "RUN mkdir srv && mv page.txt srv/ && tar -czf /app.tar.gz app srv\n",
        "Dockerfile": RUNTIME.replace("COPY app /", "ADD app.tar.gz /"),
        "build.sh": """\
docker build -t archived:build -f Dockerfile.build .
docker cp $(docker create archived:build):/app.tar.gz .
docker build -t archived:latest .
""",
    },
    "chain": GO
    | {
        "base.Dockerfile": "FROM golang:1.27-alpine\nENV CGO_ENABLED=0\nWORKDIR /src\n",
        "Dockerfile.build": "ARG BASE=none\nFROM $BASE\nCOPY go.mod main.go ./\nRUN go build -o app .\n",
        "Dockerfile": RUNTIME,
        "build.sh": """\
TAG=${TAG:-latest}
REPO=example/chain
build() {
  docker build -t "$REPO-$1:$TAG" -f "$2" "${@:3}" .
}
docker build -t $REPO-base:$TAG -f base.Dockerfile .
docker build -t $REPO-build:$TAG -f Dockerfile.build --build-arg BASE=$REPO-base:$TAG .
for name in app; do
  docker run --rm --entrypoint cat $REPO-build:$TAG /src/$name > $name
  chmod 755 $name
done
docker build -t $REPO:$TAG .
""",
    },
    "actions": PAIR
    | {
        ".github/workflows/image.yml": """\
name: image
on: push
env:
  IMAGE: example/actions
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Compile
        run: |
          docker build -t $IMAGE:build -f Dockerfile.build .
          docker create --name extract $IMAGE:build
          docker cp extract:/src/app app
      - uses: docker/build-push-action@v6
        with:
          context: .
          tags: example/actions:latest
          build-args: |
            REVISION=${{ github.sha }}
"""
    },
    "gitlab": PAIR
    | {
        ".gitlab-ci.yml": """\
stages: [compile, image]
variables:
  IMAGE: example/gitlab
image:
  stage: image
  script:
    - docker build -t "$IMAGE:$CI_COMMIT_REF_SLUG" .
compile:
  stage: compile
  script:
    - docker build -t "$IMAGE:build" -f Dockerfile.build .
    - docker create --name extract "$IMAGE:build"
    - docker cp extract:/src/app app
  artifacts:
    paths: [app]
""".replace("\nimage:\n", "\npackage:\n")
    },
    "stream": GO
    | {
        "page.txt": "stream\n",
        "Dockerfile.build": BUILDER.replace("go.mod main.go ./", ". .") + "RUN mkdir /out && mv app page.txt /out/\n",
        "Dockerfile": 'FROM scratch\nCOPY rootfs/out/app /\nCOPY rootfs/out/page.txt /srv/\nEXPOSE 8080\nCMD ["/app"]\n',
        "build.sh": """\
mkdir -p rootfs
docker build -q -t streamed:build -f Dockerfile.build . || exit 1
docker create --name streamed streamed:build
docker cp streamed:/out - | tar -xC rootfs
docker rm streamed >/dev/null
docker build -t streamed . && docker push streamed
""",
    },
    "folders": {f"src/{name}": text for name, text in GO.items()}
    | {
        "src/Dockerfile": BUILDER,
        "image/Dockerfile": RUNTIME.replace("COPY app /", "COPY app /\nCOPY page.txt /srv/"),
        "image/page.txt": "folders\n",
        "build.sh": """\
(cd src && docker build -t folders:build .)
docker create --name folders folders:build
docker cp folders:/src/app image/
docker build -t folders:latest image
""",
    },
    "output": GO
    | {
        "Dockerfile.build": BUILDER + 'CMD ["sh", "-c", "cp app /out/"]\n',
        "Dockerfile": RUNTIME.replace("COPY app /", "COPY out/ /"),
        "build.sh": """\
IMG=`docker build -q -f Dockerfile.build .`
mkdir -p out
docker run --rm -v "$(pwd)/out:/out" $IMG
docker build -t example/output:latest .
""",
    },
    "pair": PAIR,
    **SHAPES,
}
