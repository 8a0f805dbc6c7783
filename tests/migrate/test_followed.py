"""What scripts do that migrate cannot follow, or follows with a word: each is named with its line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.migrate.sets import PAIR
from tests.migrate.test_sets import made_in, migrate

BUILD = "docker build -t a:build -f Dockerfile.build .\n"
COPY = "docker create --name c a:build\ndocker cp c:/src/app app\n"
FINAL = "docker build -t a .\n"
PRINTED = BUILD + "docker run --rm a:build cat /src/app > "


def after(folder: Path, script: str, *arguments: str, **files: str) -> tuple[int, str]:
    """Migrate a pair of Dockerfiles with a script; return the exit code and what was said."""
    for name, text in {**PAIR, **files, "build.sh": script}.items():
        folder.joinpath(name).write_text(text)
    done = migrate(folder, *(arguments or (".",)))
    return done.returncode, done.stderr


NOTED = [
    (
        BUILD
        + "docker run -v out:/o a:build cp app /o\ndocker run -v out:/o -v $PWD:/h a:build cp /o/app /h/app\n"
        + FINAL,
        "build.sh:2: the result does without what this container ran; if a file depends on it, make its command a Run",
    ),
    (
        BUILD
        + "docker run -v out:/o a:build cp app /o\ndocker run -v out:/o -v $PWD:/h a:build cp /o/app /h/app\n"
        + FINAL,
        "build.sh:3: the volume out is a cache mount now, and may be empty; copy what others put there to /o with Copy(",
    ),
    (
        BUILD + "docker cp $(docker ps -lq):/src/app .\n" + FINAL,
        "build.sh:2: which container $(docker ps -lq) is cannot be seen;",
    ),
    (
        BUILD + COPY + "/kaniko/executor --context .\n" + FINAL,
        "build.sh:4: executor is not followed; write docker build for each",
    ),
    (
        "buildah from x\nbuildah bud -t a:build -f Dockerfile.build\n" + COPY,
        "build.sh:1: buildah from is not followed; write a",
    ),
    (
        "export $(cat .env | xargs)\n" + BUILD + COPY + FINAL,
        "build.sh:1: what $(cat .env | xargs) sets is not known; write",
    ),
    (
        "case ${1:-a} in\na)\n" + BUILD + COPY + FINAL + ";;\nesac\n",
        "build.sh:1: ${1:-a} decides here, and is taken as a; check that this is what you want",
    ),
    (
        BUILD + "docker run --rm a:build | docker build -t b -\n" + COPY + FINAL,
        "build.sh:2: what is piped into docker build is not known, and its image is left out; give it a folder as its",
    ),
    (
        "docker run --rm -v $PWD:/w -w /w golang:1.27-alpine make\ndocker build -t a -f Dockerfile.build .\n",
        "build.sh:2: go.mod is taken from the project, where it is; if the container of build.sh:1 makes it, remove it",
    ),
    (BUILD + COPY + "docker build --pull -t a .\n", "build.sh:4: --pull is for one run; pass it: "),
    (BUILD + COPY + FINAL + "docker push a\n", "build.sh:5: it pushes a; run python -m dockdsl build FILE --push"),
    (
        BUILD + COPY + 'if [ -n "$X" ]; then\n  docker build -t a .\nfi\n',
        "build.sh:5: whether docker build runs is decided at build.sh:4;",
    ),
    (
        BUILD + COPY + "docker cp - c:/x < a.tar\n" + FINAL,
        "build.sh:4: what it copies into a container is not known; write out both paths",
    ),
    (
        BUILD + "mkdir d\ndocker create --name c a:build\ndocker cp d c:/d\ndocker cp c:/src/app app\n" + FINAL,
        "build.sh:4: whether /d is there in the container cannot be seen, and it was taken as a new folder; if it is there",
    ),
    (
        BUILD + "docker create --name v a:build\ndocker run --volumes-from v a:build true\n" + COPY + FINAL,
        "build.sh:3: which volumes v has cannot be seen; give them to docker create with -v FOLDER",
    ),
    (
        BUILD + "docker cp other:/src/app app\n" + COPY + FINAL,
        "build.sh:2: the container other was not made here; add the line",
    ),
    (
        BUILD + COPY + "docker build -t a --build-arg V=$(git describe) .\n",
        "the build argument V is settled only when it runs, $(git describe); pass it: python -m dockdsl build FILE --build-arg V=",
    ),
    (BUILD + COPY + "docker commit c a:2\n" + FINAL, "build.sh:4: docker commit is not followed;"),
    (BUILD + COPY + "./other.sh\n. ./more.sh\n" + FINAL, "build.sh:5: the script ./more.sh is not there;"),
    (
        BUILD + "docker create --name c a:build\ndocker cp c:/src/app $OUT\n" + FINAL,
        "build.sh:3: the path ${OUT} is not known; write it out",
    ),
    (
        BUILD + "docker run --rm a:build cat /src/app > app\n" + FINAL,
        "build.sh:2: app is printed, so that nobody may run it on the host",
    ),
    (
        BUILD + COPY + "tar c -X list . | docker build -t a -\n" + FINAL,
        "build.sh:4: what is piped into docker build is not known, and its image is left out;",
    ),
    (
        BUILD + "docker cp c:/out - | docker build -t b -\n" + FINAL,
        "build.sh:2: the container c was not made here;",
    ),
    (
        BUILD + COPY + "docker cp c:/src - | docker build -t b -\n" + FINAL,
        "build.sh:4: what is piped into docker build is not known, and its image is left out;",
    ),
    (
        BUILD + COPY + "gunzip -c a.gz | docker load\n" + FINAL,
        "build.sh:4: docker load is not followed; build the image in the script, or name it as a base",
    ),
    (
        BUILD + "docker cp $(docker create a:build):/src/app x\ntar cf app x\n" + FINAL,
        "build.sh:4: COPY takes app, which tar makes on the host; make it with tar in a Run of a stage, and copy it from",
    ),
    (
        "docker run -v $PWD:/w b cp x /w/\nzip -qr app go.mod\nprintf 'FROM b\\nCOPY app.zip /\\n' > D\ndocker build -f D .\n",
        "build.sh:2: zip writes app.zip, which is not followed; if a Dockerfile copies that file, run this line before each",
    ),
    (
        BUILD + COPY + "gzip -f a-$V\n" + FINAL,
        "build.sh:4: gzip is not followed; if it changes what a Dockerfile copies,",
    ),
    (
        BUILD + COPY + 'docker build -t a --label "c=$(git rev-parse HEAD)" .\n',
        "build.sh:4: --label c=$(git rev-parse HEAD) is settled only when it runs, and is left out; pass it: python -m",
    ),
    (
        BUILD.replace("-t", "--network host -t") + COPY + FINAL,
        "build.sh:1: --network host is for the image build alone, and is left out; pass it for all of them, if the steps",
    ),
    (
        "docker run -v $PWD:/w ${GO:-golang}:${V:-1.27-alpine} cp /w/go.mod /w/app\n" + FINAL,
        "build.sh:1: the image ${GO:-golang}:${V:-1.27-alpine} is taken as golang:1.27-alpine; write another name",
    ),
    (
        BUILD + COPY + "docker build -t $R/a:${V} .\n",
        "build.sh:4: the tag takes $R from the environment, and 'localhost' where it is not set; set it when you build",
    ),
    (
        BUILD + "docker run --name c a:build\ndocker cp c:/src/app .\n" + FINAL,
        "build.sh:2: the image a:build says no command, and its container is taken as the image is; if the command of",
    ),
    (BUILD + COPY + FINAL + "docker tag x y\n", "build.sh:5: the image x was not built here;"),
    ("cd $SOMEWHERE\n" + BUILD + COPY + FINAL, "build.sh:1: cd goes to ${SOMEWHERE}; write the folder"),
    (
        "docker run --rm -v $HOME/go:/go -v $PWD:/src -w /src golang:1.27-alpine go build -o app .\n" + FINAL,
        "build.sh:1: ${HOME}/go is a folder of the host outside of the project;",
    ),
    (
        "docker run --rm -v $PWD:/src -w /src golang:1.27-alpine go build -ldflags=$FLAGS -o app .\n" + FINAL,
        "build.sh:1: the command has ${FLAGS}, from the environment; declare it",
    ),
    (
        BUILD + COPY + "strip app\n" + FINAL,
        "build.sh:4: strip is not followed; if it changes what a Dockerfile copies, make",
    ),
    (BUILD + COPY + "sed -i s/a/b/ Dockerfile\n" + FINAL, "build.sh:4: sed is not followed;"),
    (BUILD + COPY + "echo more >> app\n" + FINAL, "build.sh:4: echo writes app, which is not followed;"),
    (BUILD + COPY + "cat x | gzip > app\n" + FINAL, "build.sh:4: gzip writes app, which is not followed;"),
    (
        BUILD + COPY + 'echo "$(git describe)" > version.txt\n' + FINAL,
        "build.sh:4: what echo writes into version.txt is known only when it runs; if a Dockerfile copies that file, run",
    ),
    (BUILD + COPY + "cp /etc/hosts app\n" + FINAL, "build.sh:4: cp replaces app, which an image has made;"),
    (
        BUILD + COPY + 'docker run -v "$PWD":/w busybox:1.37 sh -c "echo >> /w/app"\n' + FINAL,
        "build.sh:4: the container may change app, which an image has made;",
    ),
    (
        BUILD + COPY + "docker build -t a:$(git describe) .\n",
        "build.sh:4: the tag a:$(git describe) is settled only when it runs",
    ),
    (BUILD + COPY + "docker build -t a:${1:?version} .\n", "build.sh:4: the tag takes $ARG1 from the environment, and"),
    (BUILD + COPY + "docker build -t a --push --memory 1g .\n", "build.sh:4: --memory is left out; pass it when you"),
    (BUILD + COPY + "docker build -t a --push .\n", "build.sh:4: --push is left out; pass it when you build"),
    (BUILD + COPY + "eval docker build -t a --pull .\n", "build.sh:4: --pull is for one run;"),
    (BUILD + FINAL, "Dockerfile:2: app is not in the context, and nothing that was read puts it there; create it, or"),
    (
        BUILD + COPY + "rm app\n" + FINAL,
        "build.sh:4: rm removes app, and no image has been built with it before; move that line behind the docker build",
    ),
    (BUILD + COPY + "> app\n" + FINAL, "build.sh:4: a redirect writes app, which is not followed;"),
    (
        BUILD + COPY + "{ echo a; echo b; } > app\n" + FINAL,
        "build.sh:4: what these commands print goes to app, which is",
    ),
    (
        BUILD + COPY + "chmod a-w app\n" + FINAL,
        "build.sh:4: chmod a-w changes app, which an image has made; from a stage",
    ),
    (
        PRINTED + "app\nchmod go-r app\n" + FINAL,
        "build.sh:3: chmod go-r changes app, which an image has made; from a stage",
    ),
    (BUILD + COPY + "cp $X app2\n" + FINAL, "build.sh:4: the path ${X} is not known; write it out"),
    (
        BUILD + COPY + "docker compose build\n" + FINAL,
        "build.sh:4: docker compose is not followed; write docker build for",
    ),
    (
        BUILD + COPY + "docker buildx bake\n" + FINAL,
        "build.sh:4: docker bake is not followed; write docker build for each",
    ),
    (
        BUILD + "docker run -d --name c a:build\ndocker cp c:/src/app app\n" + FINAL,
        "build.sh:3: the container of build.sh:2 runs in the background, and is taken as its image is; if its command",
    ),
    (
        BUILD + "docker create --name c a:build\ndocker cp c:/src/none app\n" + FINAL,
        "build.sh:3: whether /src/none is a file or a folder cannot be seen, and it was taken for a file; of a folder,",
    ),
    (
        BUILD + "docker run --env-file x --gpus all a:build true\n" + COPY + FINAL,
        "build.sh:2: --gpus of docker run is left out; see whether what the container makes depends on it",
    ),
    (
        'A=()\nif [ -n "$X" ]; then A+=(--label a=b); fi\n' + BUILD + COPY + FINAL,
        "build.sh:2: what the array A has is decided here; it was read as if all of it is added:",
    ),
    (
        BUILD + COPY + "docker build $FLAGS -t a .\n",
        "build.sh:4: ${FLAGS} is not set, and taken as empty; pass what it has",
    ),
    (
        BUILD + COPY + "docker save a | gzip > a.tgz\n" + FINAL,
        "build.sh:4: docker save is not followed; see where the archive",
    ),
    (
        "docker run --rm -v $PWD:/w -w /w --user $(id -u) golang:1.27-alpine go build -o app .\n" + FINAL,
        "build.sh:1: the user $(id -u) is settled on the host, and is left out; add User(…) to the stage if its command",
    ),
    (
        "docker run --rm -v $PWD/o:/o golang:1.27-alpine\ncp o/app .\n" + FINAL,
        "build.sh:1: what the image golang:1.27-alpine runs is not known;",
    ),
]


@pytest.mark.parametrize(("script", "said"), NOTED)
def test_what_is_not_followed_is_named(script: str, said: str, tmp_path: Path) -> None:
    """The line of the script, what is the matter, and what to do."""
    _, told = after(tmp_path, script)

    assert said in told, told


TAKEN = {
    # What a shell writes has the mode 0644 before.
    "+x": (PRINTED + "app\nchmod +x app\n" + FINAL, ['from_=build, chmod="0755"']),
    "u+x": (PRINTED + "b\nmv b app\nchmod u+x app\n" + FINAL, ['from_=build, chmod="0744"']),
    "values": (
        # What the script sets is what an argument without a value has; := sets what is not set, also behind a colon.
        (
            'A=1\nexport A\nset -a\n. ./.env\n: "${R:=reg}"\nV=$(git describe || echo dev)\n'
            f"C=3 {BUILD.replace('-t', '--build-arg C -t')}{COPY}"
            'docker build --build-arg A --build-arg=B -t "$R/a" -t $IMAGE -t a:${1:-dev} -t $S/a:$T -t a:$V .\n'
        ),
        [
            'build_args={"C": "3", "A": "1", "B": "2"}',
            'os.environ.get("R", "reg") + "/a"',
            '"from/env"',
            '"a:" + os.environ.get("ARG1", "dev")',
            'os.environ.get("S", "localhost") + "/a:" + os.environ.get("T", "latest"),\n    ]',
        ],
    ),
    "programs": (
        'E="$(command -v docker || command -v podman)"\nS=""\nif [ $X ]; then S=sudo; fi\n'
        + (BUILD + COPY + FINAL).replace("docker", '"$E"')
        + "$S docker tag a a:2\n",
        ['tags=["a", "a:2"]'],
    ),
    # What the host has is there for a container, too.
    "host": (
        BUILD
        + "docker create --name c a:build\ndocker cp c:/src/app in\nmkdir -p d\ncp go.mod x\n"
        + "docker run -v $PWD:/w b cp /w/in /w/d/app\ncp d/app app\n"
        + FINAL,
        ['Copy("/src/app", "/w/in", from_=build)', 'Run("mkdir -p /w/d")', 'Copy("go.mod", "/w/x")'],
    ),
    # An image has not what is made behind it.
    "order": (
        "docker build -t a:build -f D2 .\nID=$(docker create b)\ndocker cp $ID:/x ./x\ncp x y\n" + BUILD + COPY + FINAL,
        ['Copy(".", "/w/")'],
    ),
    # A file of tar is not one of the container that has the folder; a variable in COPY is what this build has.
    "files": (
        BUILD
        + COPY
        + "cp app app-1\ntar czf a.tgz go.mod\ndocker run -v $PWD:/w b touch /w/x\n"
        + "printf 'FROM a\\nARG N\\nCOPY app-$N /\\nADD a.tgz /m\\n' > D\ndocker build --build-arg N=1 -f D .\n",
        ['"/w/app-1", "/", from_=build_2', 'Copy("go.mod", "/m/go.mod")'],
    ),
}


@pytest.mark.parametrize(("script", "made"), TAKEN.values(), ids=TAKEN)
def test_what_a_script_says_is_in_the_result(script: str, made: list[str], tmp_path: Path) -> None:
    """Values, and files of the host that a container or a build has."""
    code, told = after(tmp_path, script, **{".env": "IMAGE=from/env\nB=2\n", "D2": "FROM a\nCOPY . /w/\n"})

    assert code == 0, told
    for each in made:
        assert each in made_in(tmp_path).read_text()


def test_each_image_has_its_own_arguments(tmp_path: Path) -> None:
    """Images that have nothing to do with each other may have different values of one argument."""
    script = "for a in x y; do docker build --build-arg A=$a -t a:$a -f Dockerfile.build .; done\n"
    code, told = after(tmp_path, script)

    assert code == 0
    assert "has another value" not in told
    assert re.findall(r'build_args=\{"A": "(.)"\}', made_in(tmp_path).read_text()) == ["x", "y"]


REFUSED = [
    ("docker build -t a:build -f Dockerfile.build . &&\n", "build.sh:1: "),
    (BUILD + 'echo "\n', "build.sh:2: the shell cannot read this: "),
    ("echo docker build\n", "error: no docker build was found; name the script that builds the images"),
    ("docker build -t a -f Nothing .\n", "build.sh:1: it builds Nothing: No such file or directory; name the folder"),
    ("a=x\n" + "a=$a$a\n" * 20 + "docker build .\n", "the variable a has more than 100000 characters; shorten it"),
    (
        "sed s/a/b/ Dockerfile > Dockerfile.run\ndocker build -t a -f Dockerfile.run .\n",
        "build.sh:2: it builds Dockerfile.run, which sed writes at build.sh:1, and which is not there; run that line, and",
    ),
    (
        "docker compose build\n",
        "build.sh:1: docker compose is not followed; write docker build for each image that it",
    ),
    ("docker build --target none -t a .\n", "build.sh:1: the Dockerfile has no stage none; correct --target"),
    ("a() { a; }\na; docker build .\n", "scripts and functions call each other more than 20 deep; unroll them"),
    (
        "for a in 1 2 3 4 5 6 7 8 9 0; do\n" * 5 + "docker build .\n" + "done\n" * 5,
        "the script gives more than 10000 commands;",
    ),
]


@pytest.mark.parametrize(("script", "said"), REFUSED)
def test_what_cannot_be_read_is_refused(script: str, said: str, tmp_path: Path) -> None:
    """Nothing is written; the message has the line."""
    code, told = after(tmp_path, script)

    assert code == 2
    assert said in told, told
    assert not tmp_path.joinpath("builds").exists()


def test_an_edited_file_stays(tmp_path: Path) -> None:
    """A file that is different is replaced with --force only."""
    script = BUILD + COPY + FINAL
    assert after(tmp_path, script)[0] == 0
    path = made_in(tmp_path)
    path.write_text(path.read_text() + "# mine\n")

    code, told = after(tmp_path, script)

    assert (code, path.read_text()[-7:]) == (2, "# mine\n")
    assert "the file exists and is different; name another one with -o, or use --force" in told
    assert after(tmp_path, script, ".", "--force")[0] == 0
    assert "# mine" not in path.read_text()


@pytest.mark.parametrize("name", ["build.sh", "Dockerfile.build", "./Dockerfile"])
def test_what_is_read_is_not_replaced(name: str, tmp_path: Path) -> None:
    """The file to write is none of those that are read, even with --force."""
    script = BUILD + COPY + FINAL
    code, told = after(tmp_path, script, ".", "-o", name, "--force")

    assert (code, told) == (2, f"error: -o: the path is the {Path(name).name} itself; name the Python file\n")
    assert {**PAIR, "build.sh": script} == {each.name: each.read_text() for each in tmp_path.iterdir()}


def test_lists_are_taken_apart(tmp_path: Path) -> None:
    """Platforms with commas between are several, and braces are several words."""
    script = "for f in {build,none}; do docker build -t a:$f -f Dockerfile.$f .; done\n" + COPY
    script += "docker buildx build --platform linux/amd64,linux/arm64 -t a .\n"
    code, told = after(tmp_path, script, **{"Dockerfile.none": "FROM scratch\n"})

    assert code == 0, told
    assert 'platforms=["linux/amd64", "linux/arm64"]' in made_in(tmp_path).read_text()


def test_the_folder_of_builds_is_a_file(tmp_path: Path) -> None:
    """Then another place has to be named."""
    tmp_path.joinpath("builds").write_text("")
    code, told = after(tmp_path, BUILD + COPY + FINAL)

    assert code == 2
    assert "it cannot be made (File exists); name a file with -o" in told


def test_an_artefact_that_nobody_copies(tmp_path: Path) -> None:
    """A name that is misspelled is said."""
    code, told = after(tmp_path, BUILD + COPY + FINAL, ".", "--artefact", "ap=/src/app")

    assert code == 0
    assert "--artefact: no Dockerfile copies ap from the context; see its name there" in told


def test_files_by_name(tmp_path: Path) -> None:
    """The script and its Dockerfiles may be named; one that nothing builds is said."""
    script = BUILD + COPY + FINAL
    code, told = after(
        tmp_path,
        script,
        "build.sh",
        "Dockerfile.build",
        "Dockerfile",
        "Dockerfile.old",
        **{"Dockerfile.old": "FROM a\n"},
    )

    assert code == 0, told
    assert "Dockerfile.old:1: no script builds it; leave it out, or name its script" in told
    assert "Dockerfile.build:1" not in told


def test_two_dockerfiles_without_a_script(tmp_path: Path) -> None:
    """Where a file comes from is asked for, unless one command says so."""
    builder = PAIR["Dockerfile.build"].replace("-o app .", "-o $(cat name) .")
    for name, text in {**PAIR, "Dockerfile.build": builder}.items():
        tmp_path.joinpath(name).write_text(text)

    unknown = migrate(tmp_path, "Dockerfile.build", "Dockerfile", "-o", "-")
    given = migrate(tmp_path, "Dockerfile.build", "Dockerfile", "-o", "-", "--artefact", "app=/src/app")

    assert (
        "Dockerfile:2: app is not in the context, and no script says where it comes from; pass --artefact app=PATH"
        in unknown.stderr
    )
    assert 'Copy("/src/app", "/", from_=build)' in given.stdout
    assert "no script says" not in given.stderr


def test_import_leads_here(tmp_path: Path) -> None:
    """Who imports a pair of Dockerfiles is told of migrate."""
    command = [sys.executable, "-m", "dockdsl", "import", "Dockerfile.build", "Dockerfile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "import takes one Dockerfile, and 2 files are named; " in done.stderr
    assert "python -m dockdsl migrate Dockerfile.build Dockerfile" in done.stderr


def test_import_of_a_script_leads_here(tmp_path: Path) -> None:
    """It is no Dockerfile with an error in each line."""
    tmp_path.joinpath("build.sh").write_text("docker build .\n")
    command = [sys.executable, "-m", "dockdsl", "import", "build.sh"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "error: build.sh is a shell script, and import takes a Dockerfile; if it builds images: " in done.stderr
    assert "python -m dockdsl migrate build.sh\n" in done.stderr


def test_a_script_that_is_not_utf_8(tmp_path: Path) -> None:
    """It is refused, with the line."""
    for name, text in PAIR.items():
        tmp_path.joinpath(name).write_text(text)
    script = b"# \x1b[31m\n" + (BUILD + COPY).encode() + b'docker build -t a --label "x=\xe9" .\n'
    tmp_path.joinpath("build.sh").write_bytes(script)
    done = migrate(tmp_path)

    assert done.returncode == 2
    assert "error: build.sh:5: the shell cannot read this: invalid UTF-8 encoding; correct it" in done.stderr


@pytest.mark.parametrize("names", [["a.Dockerfile"], ["build.sh"]], ids=" ".join)
def test_a_dockerfile_that_is_no_text(names: list[str], tmp_path: Path) -> None:
    """It is refused once, at the first line that is not UTF-8, whether it is named or a script builds it."""
    tmp_path.joinpath("a.Dockerfile").write_bytes(b"FROM busybox\n# \xe9\n\xff\n")
    tmp_path.joinpath("build.sh").write_text("docker build -f a.Dockerfile .\n")
    done = migrate(tmp_path, *names)

    assert 2 == done.returncode
    assert "a.Dockerfile:2: error: it is not UTF-8 text; is it the right file?\n" == done.stderr


def test_a_dockerfile_of_another_name(tmp_path: Path) -> None:
    """It is known by how it begins."""
    tmp_path.joinpath("image.in").write_text("# a comment\nARG TAG=1.37\nFROM busybox:$TAG\nUSER 1000\n")
    done = migrate(tmp_path, "image.in", "-o", "-")

    assert 0 == done.returncode
    assert 'User("1000")' in done.stdout


@pytest.mark.parametrize(("name", "shown"), [("nofolder", "nofolder"), ("", "''")])
def test_a_folder_that_is_not_there(tmp_path: Path, name: str, shown: str) -> None:
    """The message says what to do."""
    done = migrate(tmp_path, name)

    assert (2, f"error: {shown}: there is no such file or folder; check the path\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("name", ["/dev/zero", "loop", pytest.param("x" * 300, id="long")])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    """A device, a link to itself and a name that is too long are refused before anything is read."""
    (tmp_path / "loop").symlink_to("loop")
    done = migrate(tmp_path, name)
    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith(f"error: {name}: it ")


def test_a_file_that_only_make_can_tell(tmp_path: Path) -> None:
    """It is said once, with what to do, and the result takes the file from where make writes it."""
    makefile = (
        "TAG := $(shell git describe)\nall: version.txt\n\tdocker build -t a .\nversion.txt:\n\techo $(TAG) > $@\n"
    )
    tmp_path.joinpath("Makefile").write_text(makefile)
    tmp_path.joinpath("Dockerfile").write_text("FROM busybox:1.37\nCOPY version.txt /\n")
    done = migrate(tmp_path, "Makefile")
    (said,) = [line for line in done.stderr.splitlines() if "version.txt" in line]

    assert 0 == done.returncode
    assert said.startswith("Makefile:5: what echo writes into version.txt is known only when it runs; ")
    assert "run this line before each build, since the result takes it from the context" in said
    assert 'Copy("version.txt", "/")' in made_in(tmp_path).read_text()


def test_several_scripts_are_not_guessed_at(tmp_path: Path) -> None:
    """Of two scripts that build images, the user names one."""
    tmp_path.joinpath("Makefile").write_text("all:\n\tdocker build .\n")
    code, told = after(tmp_path, BUILD + COPY + FINAL)

    assert code == 2
    assert (
        "several files build images: build.sh, Makefile; name the folder and the one to migrate: dockdsl migrate . FILE"
        in told
    )

    done = migrate(tmp_path, ".", "build.sh")
    assert done.returncode == 0, done.stderr


JOB = "on: push\njobs:\n  one:\n    runs-on: x\n"
STEPS = "    steps:\n      - run: docker build -t a:build -f Dockerfile.build .\n"
NOTED_IN_CI = [
    (
        JOB
        + STEPS
        + "      - uses: docker/build-push-action@v1\n        with: {repository: r/a, tags: 1, tag_with_ref: true}\n",
        "ci.yml:8: tag_with_ref of docker/build-push-action is left out; pass what it means when you build, if it counts",
    ),
    (
        JOB + "    if: ${{ a }}\n" + STEPS,
        "ci.yml:5: whether the job one runs is decided by if:; it was read as if it always",
    ),
    (
        JOB + STEPS + "        if: a\n",
        "ci.yml:7: whether this step runs is decided by if:; it was read as if it always",
    ),
    (JOB + STEPS + "      - uses: ./mine\n", "ci.yml:7: ./mine is not followed; if it builds an image or changes what"),
    (
        JOB + STEPS + "      - {run: x, shell: pwsh}\n",
        "ci.yml:7: it is for pwsh, which is not followed; write its docker",
    ),
    (
        JOB + STEPS + "      - uses: docker/build-push-action@v6\n        with: {call: check, tags: a}\n",
        "ci.yml:8: call of docker/build-push-action is left out; pass what it means when you build, if it counts",
    ),
    (
        JOB + STEPS.replace("a:build", "a:${{ matrix.b }}"),
        "ci.yml:6: the tag a:${{ matrix.b }} is settled only when it runs, and is left out; pass it: python -m dockdsl",
    ),
    (
        "include: /x.yml\none:\n  script: [docker build -t a -f Dockerfile.build .]\n",
        "ci.yml:1: what it includes is not followed; name that file, if it builds the images",
    ),
    (
        "one:\n  rules: [{if: $A}]\n  script: [docker build -t a -f Dockerfile.build .]\n",
        "ci.yml:2: whether the job one runs is decided by rules:; it was read as if it always runs",
    ),
    (
        "version: 2\njobs:\n  one:\n    steps: [run: docker build .]\n",
        "ci.yml: no job of GitHub Actions or GitLab CI is in it; write its docker commands into a shell script, and name",
    ),
]


@pytest.mark.parametrize(("text", "said"), NOTED_IN_CI)
def test_what_a_pipeline_leaves_open_is_named(text: str, said: str, tmp_path: Path) -> None:
    """Conditions, actions and other shells of a CI file have their line; the file may be in any folder."""
    tmp_path.joinpath("ci").mkdir()
    tmp_path.joinpath("ci", "ci.yml").write_text(text)
    for name, content in PAIR.items():
        tmp_path.joinpath(name).write_text(content)
    done = migrate(tmp_path, ".", "ci/ci.yml")

    assert said in done.stderr, done.stderr


def test_the_first_version_of_the_action(tmp_path: Path) -> None:
    """Its inputs had other names, and its tags no repository."""
    given = "{repository: r/a, registry: x.io, tags: '1,2', dockerfile: Dockerfile.build, path: .}"
    tmp_path.joinpath("ci.yml").write_text(
        f"{JOB}    steps:\n    - uses: docker/build-push-action@v1\n      with: {given}\n"
    )
    tmp_path.joinpath("Dockerfile.build").write_text("FROM busybox:1.37\n")
    done = migrate(tmp_path, "ci.yml")

    assert "left out" not in done.stderr
    assert 'tags=["x.io/r/a:1", "x.io/r/a:2"]' in made_in(tmp_path).read_text()


@pytest.mark.parametrize("first", ["make.sh", "build"])
def test_a_script_that_calls_others_is_found(first: str, tmp_path: Path) -> None:
    """Also where those have no suffix, and it has no docker command itself."""
    tmp_path.joinpath("ci").mkdir()
    files = {
        first: "#!/bin/sh\nbash ci/1\nbash ci/2\n",
        "ci/1": f"#!/bin/sh\n{BUILD}{COPY}",
        "ci/2": f"#!/bin/sh\n{FINAL}",
    }
    for name, content in {**PAIR, **files}.items():
        tmp_path.joinpath(name).write_text(content)
    done = migrate(tmp_path)

    assert done.returncode == 0, done.stderr
    assert "build (ci/1:4)" in made_in(tmp_path).read_text()


def test_a_makefile_decides_by_its_own_variables(tmp_path: Path) -> None:
    """What ifeq decides is named, and so is what is included."""
    makefile = "A = 1\ninclude x.mk\nifeq ($(A),1)\nT = yes\nelse\nT = no\nendif\nall:\n\tdocker build -t a:$(T) -f Dockerfile.build .\n"
    tmp_path.joinpath("Makefile").write_text(makefile)
    for name, content in PAIR.items():
        tmp_path.joinpath(name).write_text(content)
    done = migrate(tmp_path, ".")

    assert done.returncode == 0, done.stderr
    assert "Makefile:2: include x.mk is not followed; " in done.stderr
    assert "Makefile:3: ifeq ($(A),1) is decided by what the Makefile itself sets; " in done.stderr
    assert 'tags="a:yes"' in made_in(tmp_path).read_text()


def test_other_files_that_build_are_named(tmp_path: Path) -> None:
    """A Jenkinsfile is not read: that is said with its line, beside the pair of Dockerfiles and without it."""
    for name, content in {**PAIR, "Jenkinsfile": "node {\n  sh 'docker build .'\n}\n"}.items():
        tmp_path.joinpath(name).write_text(content)
    beside = migrate(tmp_path, ".", "--artefact", "app=/src/app").stderr
    tmp_path.joinpath("Dockerfile.build").unlink()
    alone = migrate(tmp_path, ".").stderr

    assert "Jenkinsfile:2: it builds images, and such a file is not read; write its docker commands into a" in beside
    assert "Jenkinsfile:2: such a file is not read; write its docker commands into a shell script, and name" in alone


def test_an_ignore_file_of_one_dockerfile(tmp_path: Path) -> None:
    """It is for that Dockerfile, and the result has another one."""
    code, told = after(tmp_path, BUILD + COPY + FINAL, **{"Dockerfile.build.dockerignore": "page.txt\n"})

    assert code == 0
    assert (
        "Dockerfile.build.dockerignore:1: it is for Dockerfile.build alone, and the result does not read it; " in told
    )
