"""More sets of the builder pattern: the same little server, by scripts of unusual shapes. No compiler is needed."""

from __future__ import annotations

BASE = "busybox:1.37"
SOURCE = "#!/bin/sh\nexec httpd -f -p @PORT@ -h /srv\n"
BUILDER = f"FROM {BASE}\nWORKDIR /src\nCOPY app.in ./\nRUN sed s/@PORT@/8080/ app.in > app && chmod 755 app\n"
RUNTIME = f'FROM {BASE}\nCOPY app /bin/\nCOPY page.txt /srv/index.html\nEXPOSE 8080\nCMD ["app"]\n'
FILES = {"app.in": SOURCE, "page.txt": "served\n"}
PAIR = FILES | {"Dockerfile.build": BUILDER, "Dockerfile": RUNTIME}
EXPORT = BUILDER.replace(BASE, f"{BASE} AS compiled") + "FROM scratch\nCOPY --from=compiled /src/app /\n"

SHAPES: dict[str, dict[str, str]] = {
    "patterns": PAIR
    | {
        "Dockerfile": RUNTIME.replace("COPY app", "COPY dist/app"),
        "Makefile": """\
NAME     := patterns
ENGINE   ?= docker
PARTS    := app
OUT      := $(addprefix dist/,$(PARTS))
ifeq ($(DEBUG),1)
FLAGS    += --progress plain
endif

define banner
@echo "== $(1) =="
endef

default: ship

builder.stamp: Dockerfile.build app.in
\t$(call banner,builder)
\t$(ENGINE) build $(FLAGS) -t example/$(NAME)-builder -f $(firstword $^) .
\ttouch $@

dist/%: builder.stamp | dist
\t$(ENGINE) create --name $(NAME)-$* example/$(NAME)-builder
\t$(ENGINE) cp $(NAME)-$*:/src/$* $@
\t$(ENGINE) rm -f $(NAME)-$*

dist:
\tmkdir -p dist

ship: VERSION = 2
ship: $(OUT) ; $(ENGINE) build -t example/$(NAME):$(VERSION) .
.PHONY: default ship
""",
    },
    "bash": PAIR
    | {
        "Dockerfile": RUNTIME.replace("COPY app", "COPY bin/"),
        "build.sh": """\
#!/usr/bin/env bash
set -euo pipefail
readonly IMAGE=example/bash
declare -a ARGS=(--build-arg "A=1" --label "x=y z")
declare -A FILES=([app]=/src/app)
containers=()
cleanup() { for c in "${containers[@]}"; do docker rm -f "$c" >/dev/null; done; rm -rf bin; }
trap cleanup EXIT INT TERM
log() { printf '%s\\n' "$*" >&2; }
die() { log "$@"; exit 1; }
[[ -f Dockerfile.build ]] || die "no Dockerfile.build"
build() {
  local tag=$1 file=$2; shift 2
  log "building $tag"
  if ! docker build "${ARGS[@]}" -t "$IMAGE:$tag" -f "$file" "$@" .; then die failed; fi
}
build build Dockerfile.build --quiet
mkdir -p bin
for name in "${!FILES[@]}"; do
  id="$(docker create "$IMAGE:build")"
  containers+=("$id")
  docker cp "$id:${FILES[$name]}" "bin/$name"
done
build latest Dockerfile
""",
    },
    "heredoc": FILES
    | {
        "build.sh": """\
PORT=8080
docker build -t example/heredoc:build -f - . <<EOF
FROM busybox:1.37
WORKDIR /src
COPY app.in .
RUN sed s/@PORT@/$PORT/ app.in > app \\\\
    && chmod 755 app
EOF
docker create --name heredoc example/heredoc:build
docker cp heredoc:/src/app ./app
docker rm heredoc
cat > Dockerfile.run <<'END'
FROM busybox:1.37
COPY app /bin/
COPY page.txt /srv/index.html
RUN echo "$PATH" > /path
EXPOSE 8080
CMD ["app"]
END
docker build -t example/heredoc -f Dockerfile.run .
rm app Dockerfile.run
""",
    },
    "folder": PAIR
    | {
        "Dockerfile": RUNTIME.replace("EXPOSE", "COPY out /a/\nCOPY d1 /b/\nCOPY d2/ /c\nCOPY d3 /d/\nEXPOSE"),
        "Dockerfile.build": BUILDER + "RUN mkdir -p /out/sub && echo a > /out/a && echo b > /out/sub/b\n",
        "build.sh": """\
docker build -t example/folder:build -f Dockerfile.build .
docker container create --name=folder example/folder:build
docker container cp folder:/src/app ./
docker container cp folder:/out .
mkdir d1
docker container cp folder:/out/ d1/
docker container cp folder:/out/. d2
docker container cp folder:/out d3
docker container rm --force --volumes folder
docker build -t example/folder .
""",
    },
    "executed": FILES
    | {
        "Dockerfile": RUNTIME,
        "build.sh": """\
docker run -d --name executed -v "$PWD":/src -w /src busybox:1.37 sleep 600
docker exec executed sh -c 'sed s/@PORT@/8080/ app.in > app'
docker exec -w /src executed chmod 755 app
docker rm -f executed
docker build -t example/executed .
""",
    },
    "started": PAIR
    | {
        "Dockerfile.build": BUILDER.replace("RUN ", "CMD "),
        "build.sh": """\
rm -f id
docker build -t example/started:build -f Dockerfile.build .
docker create --cidfile id example/started:build
docker start --attach $(cat id)
docker cp $(cat id):/src/app .
docker rm $(cat id)
docker build -t example/started .
""",
    },
    "staged": PAIR
    | {
        "build.sh": """\
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
docker build -t example/staged:build -f Dockerfile.build .
id=$(docker create example/staged:build)
docker cp $id:/src/app $tmp/
docker rm $id
cp Dockerfile page.txt $tmp/
docker build -t example/staged $tmp
""",
    },
    "exported": PAIR
    | {
        "Dockerfile": RUNTIME.replace("COPY app /bin/", "ADD out.tar /bin/\nCOPY dist/app /sbin/\nCOPY app /opt/"),
        "Dockerfile.build": EXPORT,
        "build.sh": """\
docker build --output type=tar,dest=out.tar -f Dockerfile.build .
docker buildx build --output type=local,dest=dist -f Dockerfile.build .
docker build -o - -f Dockerfile.build . | tar x
docker build -t example/exported .
""",
    },
    "flags": FILES
    | {
        "Dockerfile": RUNTIME.replace("COPY app", "COPY out/app"),
        "build.sh": """\
#!/bin/bash -eu
here=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$here/out"
docker run --rm -i -v "$here":/src:ro --mount type=bind,source="$here/out",target=/out \\
   -w /src -u 0:0 --network none -e PORT=8080 --tmpfs /tmp --cap-drop ALL --platform=linux/amd64 busybox:1.37 \\
   sh -euc 'sed "s/@PORT@/$PORT/" app.in > /out/app; chmod 755 /out/app'
docker build --tag example/flags "$here"
""",
    },
    "continued": FILES
    | {
        "Dockerfile": RUNTIME.replace("COPY app", "COPY dist/"),
        "build.sh": """\
docker run --rm -v $(pwd):/w -v cache:/cache -w /w busybox:1.37 sh -c 'sed s/@PORT@/8080/ app.in > made'
docker run --rm -v $(pwd):/app -w /app busybox:1.37 sh -c "
  mkdir -p dist
  mv made dist/app
  chmod 755 dist/app
"
docker build -t example/continued .
""",
    },
    "streams": PAIR
    | {
        "Dockerfile": RUNTIME.replace("EXPOSE", "COPY lib/ /lib2/\nCOPY info.txt /\nEXPOSE"),
        "Dockerfile.build": BUILDER + "RUN mkdir lib && echo a > lib/a && echo i > info.txt\n",
        "build.sh": """\
docker build -qt example/streams:build -f Dockerfile.build . >/dev/null
docker run --rm example/streams:build sh -c 'cat /src/app' >app
docker run --rm example/streams:build tar -cC /src lib | tar -x
docker run --rm --workdir /src example/streams:build cat info.txt | tee info.txt >/dev/null
chmod +x app
docker build -t example/streams .
""",
    },
    "toplevel": PAIR
    | {
        "Makefile": "image:\n\t./scripts/build.sh\n",
        "scripts/build.sh": """\
#!/usr/bin/env bash
folder="$( cd "$( dirname "${BASH_SOURCE[0]}" )" &> /dev/null && pwd )"
cd "$(cd "$folder/.." && pwd)"
case "${1:-build}" in
  build)
    for file in Dockerfile.*; do
      docker build -q -f "$file" -t "example/toplevel:${file#Dockerfile.}" . > image.id
    done
    docker cp "$(docker create $(cat image.id))":/src/app "$PWD/app"
    docker build -t example/toplevel . | tee build.log
    ;;
  clean) rm -f app ;;
esac
""",
    },
    "oneshell": PAIR
    | {
        "Makefile": """\
.ONESHELL:
SHELL := /bin/bash
all: image
image:
\tset -e
\tdocker build -t example/oneshell:build -f Dockerfile.build .
\tid=$$(docker create example/oneshell:build)
\tdocker cp $$id:/src/app app
\tdocker rm $$id
\tdocker build -t example/oneshell .
"""
    },
    "flattened": PAIR
    | {
        "Dockerfile": 'FROM scratch\nADD rootfs.tar /\nCOPY page.txt /srv/index.html\nEXPOSE 8080\nCMD ["app"]\n',
        "Dockerfile.build": BUILDER + "RUN cp app /bin/ && mkdir -p /srv\n",
        "build.sh": """\
run() { echo "+ $*"; "$@"; }
DOCKER=${DOCKER:-docker}
run timeout 100 $DOCKER build -t example/flattened:build -f Dockerfile.build .
run $DOCKER create --name flattened example/flattened:build
$DOCKER export flattened > rootfs.tar
run $DOCKER rm flattened
run $DOCKER build -t example/flattened .
""",
    },
    "owned": PAIR
    | {
        "Dockerfile.build": BUILDER + "RUN chown 1000 app\nUSER 1000\n",
        "build.sh": """\
docker build -t example/owned:build -f Dockerfile.build .
docker create --name owned example/owned:build
docker cp owned:/src/app .
docker rm owned
docker build -t example/owned .
""",
    },
    "jobs": PAIR
    | {
        ".github/workflows/image.yaml": """\
on: [push]
env: {REPO: example/jobs}
defaults:
  run: {shell: bash, working-directory: .}
jobs:
  ship:
    needs: [compile]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          context: .
          load: true
          tags: example/jobs:latest
  compile:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: >-
          docker build
          -t ${{ env.REPO }}:build
          -f Dockerfile.build .
      - run: |
          id=$(docker create ${{ env.REPO }}:build)
          docker cp "$id":/src/app - | tar x
          docker rm "$id"
"""
    },
    "volumes": FILES
    | {
        "Dockerfile": RUNTIME.replace("COPY app", "ADD dist.tar").replace("EXPOSE", "COPY dist/sub/ /sub/\nEXPOSE"),
        "build.sh": """\
docker create -v /work --name volumes busybox:1.37 true
docker cp . volumes:/work
docker run --rm --volumes-from volumes -w /work busybox:1.37 sh -c 'sed s/@PORT@/8080/ app.in > app; chmod 755 app'
docker cp volumes:/work/app ./made
docker rm -v volumes
docker create --name volumes-2 busybox:1.37 sh -c 'cp /in/made /out'
mkdir in
cp made in/
docker cp in/. volumes-2:/in
docker start -a volumes-2
mkdir -p dist/sub
docker cp volumes-2:/out dist/app
docker rm volumes-2
docker run --rm -v "$PWD":/w -w /w busybox:1.37 sh -c 'cp dist/app dist/sub/copy'
tar -cf dist.tar -C dist app
docker build -t example/volumes .
""",
    },
    "piped": {f"parts/{name}": text for name, text in PAIR.items() if name not in ("Dockerfile", "page.txt")}
    | {
        "page.txt": "piped\n",
        "Dockerfile": RUNTIME.replace("COPY app", "COPY out/"),
        "Makefile": """\
IMAGE := example/piped
image:
\t$(MAKE) -C parts extract OUT=../out
\ttar cz Dockerfile out page.txt | docker build -t $(IMAGE) -
""",
        "parts/Makefile": """\
extract: compile
\tmkdir -p $(OUT)
\tdocker run --rm example/piped:build tar cf - -C /src app | tar xf - -C $(OUT)
compile:
\tdocker build -t example/piped:build -f Dockerfile.build .
""",
    },
    "artifacts": FILES
    | {
        "Dockerfile": RUNTIME,
        ".gitlab-ci.yml": """\
stages: [compile, image]
variables:
  IMAGE: $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA
compile:
  stage: compile
  image: busybox:1.37
  variables: {PORT: "8080"}
  script:
    - sed "s/@PORT@/$PORT/" app.in > app
    - chmod 755 app
  artifacts: {paths: [app]}
image:
  stage: image
  script:
    - docker build -t $IMAGE .
""",
    },
    "extended": PAIR
    | {
        ".gitlab-ci.yml": """\
stages: [one, two]
default:
  before_script:
    - docker login -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD" $CI_REGISTRY
.setup:
  script:
    - docker create --name extended "example/extended:$NAME"
    - docker cp extended:/src/app .
.build: &build
  variables: {FILE: Dockerfile.build, NAME: build}
  script:
    - docker build -t "example/extended:$NAME" -f "$FILE" .
    - !reference [.setup, script]
.publish:
  stage: two
  script:
    - docker build -t "example/extended:latest" .
package:
  extends: .publish
  needs: [compile]
compile:
  <<: *build
  stage: one
  artifacts: {paths: [app]}
"""
    },
}
