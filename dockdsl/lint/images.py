"""What well-known base images have and lack, where that is certain whatever their version."""

from __future__ import annotations

from typing import NamedTuple

from dockdsl.syntax.lazy_regex import lazy_regex

_name = lazy_regex(r"(?P<name>[^@]*?)(?::(?P<tag>[\w][\w.-]*))?(?:@.*)?")
_version = lazy_regex(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-|$)")
_OFFICIAL = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "library/")
_NO_SHELL = ("gcr.io/distroless/", "cgr.dev/chainguard/static")
_PLAIN = frozenset({"alpine", "busybox", "debian", "ubuntu"})
"""Distributions: what is not a part of the system is not in them."""
_ON_PLAIN = frozenset({"golang", "python", "node", "ruby", "rust", "php", "openjdk", "eclipse-temurin"})
"""Languages on a distribution: apart from /usr, they are like it."""
_WORKDIRS = {"golang": "/go", "php": "/var/www/html"}
_JAVA = ("JAVA_", "LANG", "LC_ALL")
_SETS = {
    "amazoncorretto": _JAVA,
    "composer": ("PHP_", "PHPIZE_DEPS"),
    "eclipse-temurin": _JAVA,
    "erlang": ("OTP_", "REBAR3_", "LANG"),
    "golang": ("GO", "PATH"),
    "gradle": _JAVA,
    "jenkins/jenkins": ("COPY_REFERENCE_FILE_LOG", "REF", *_JAVA),
    "mambaorg/micromamba": ("ENV_NAME", "MAMBA_"),
    "mariadb": ("GOSU_", "LANG"),
    "maven": _JAVA,
    "mcr.microsoft.com/dotnet": ("APP_UID", "ASPNET", "DOTNET_", "NUGET_", "POWERSHELL_"),
    "mysql": ("GOSU_",),
    "nginx": ("ACME_", "DYNPKG_", "NJS_", "PKG_"),
    "node": ("YARN_",),
    "openjdk": _JAVA,
    "php": ("APACHE_", "GPG_KEYS", "PHPIZE_DEPS"),
    "postgres": ("GOSU_", "LANG", "PG"),
    "python": ("GPG_KEY", "LANG"),
    "redis": ("GOSU_",),
    "ruby": ("BUNDLE_", "GEM_HOME", "LANG"),
    "rust": ("CARGO_HOME", "RUSTUP_"),
    "tomcat": ("CATALINA_", "LD_LIBRARY_PATH", *_JAVA),
    "wordpress": ("APACHE_", "PHP_", "PHPIZE_DEPS"),
}
"""How variables begin that images set besides those with their own names."""
DASH = "/bin/dash"
_SHELLS = (
    ("/bin/busybox sh", lazy_regex(r"alpine|busybox|(?:^|/)(?:docker|composer):")),
    (
        "/bin/bash",
        lazy_regex(
            r"fedora|centos|rocky|almalinux|amazonlinux|oraclelinux|ubi\d|/ubi|opensuse|archlinux|azurelinux|mariner"
        ),
    ),
    (
        DASH,
        lazy_regex("debian|ubuntu|slim|stretch|buster|bullseye|bookworm|trixie|bionic|focal|jammy|noble|resolute"),
    ),
)
"""What /bin/sh is, by the words of distributions in the name of an image, in this order."""
_are_on_debian = lazy_regex(
    r"(?:^|/)(?:buildpack-deps|gcc|golang|httpd|mysql|nginx|node|perl|php|postgres|python|redis|ruby|rust|tomcat"
    r"|dotnet/\w+)(?:$|[:@])"
)
"""Those that are on it if they are of Linux: some have these names on Windows, too."""
_are_of_windows = lazy_regex(r"windows|nanoserver|servercore")


class Image(NamedTuple):
    """The name of an image."""

    name: str
    """Without the registry and the namespace of official images."""
    tag: str

    @property
    def is_scratch(self) -> bool:
        """Whether it is the empty image."""
        return self.name == "scratch"

    @property
    def is_distroless(self) -> bool:
        """Whether it has no shell, whatever its version."""
        return self.name.startswith(_NO_SHELL) and "debug" not in self.tag

    @property
    def is_bare(self) -> bool:
        """Whether it is a distroless image without any programs."""
        return self.is_distroless and self.name.rpartition("/")[2].startswith(("base", "cc", "static"))

    @property
    def is_plain(self) -> bool:
        """Whether it is a distribution, or a language on one."""
        return self.name in _PLAIN or self.name in _ON_PLAIN

    @property
    def workdir(self) -> str | None:
        """Its working directory; None where it is not known."""
        is_known = self.is_scratch or self.is_plain or self.is_distroless
        return _WORKDIRS.get(self.name, "/") if is_known else None

    @property
    def version(self) -> tuple[int, ...]:
        """The numbers at the beginning of its tag."""
        found = _version().match(self.tag)
        return tuple([int(each) for each in found.groups() if each is not None]) if found else ()

    @property
    def has_compiler(self) -> bool:
        """Whether an image of Go has a C compiler."""
        return self.name == "golang" and "alpine" not in self.tag and "windows" not in self.tag

    @property
    def has_busybox(self) -> bool:
        """Whether BusyBox is its set of programs, which has a ``wget``."""
        return self.name in ("alpine", "busybox") or (self.name in _ON_PLAIN and "alpine" in self.tag)

    def lacks(self, program: str) -> bool:
        """Whether it is certain not to have ``curl`` or ``wget``."""
        if self.name in ("debian", "ubuntu"):
            return program in ("curl", "wget")
        return program == "curl" and (self.has_busybox or (self.name in _ON_PLAIN and "slim" in self.tag))

    def sets(self, variable: str) -> bool:
        """Whether it may set a variable: one that has its name, and of an image that is not known, any version."""
        if self.is_scratch:
            return False
        family = "mcr.microsoft.com/dotnet" if self.name.startswith("mcr.microsoft.com/dotnet/") else self.name
        if variable.startswith(_SETS.get(family, ())):
            return True
        if not (self.is_scratch or self.is_distroless or self.is_plain) and variable.endswith(("_VERSION", "_HOME")):
            return True
        first, underscore, _ = variable.lower().partition("_")
        return bool(underscore) and first in self.name.lower().replace("-", "_").split("/")[-1].split("_")


def image(text: str) -> Image:
    """Read the name of an image.

    >>> image("docker.io/library/golang:1.27-alpine@sha256:abc")
    Image(name='golang', tag='1.27-alpine')
    """
    found = _name().fullmatch(text)
    name, tag = (found["name"], found["tag"] or "") if found else (text, "")
    for prefix in _OFFICIAL:
        name = name.removeprefix(prefix)
    return Image(name, tag)


def shell_of(base: str) -> str | None:
    """Return what /bin/sh is in an image of Linux with this name; None if that is not known.

    >>> shell_of("golang:1.27-alpine"), shell_of("golang:1.27"), shell_of("mine:1")
    ('/bin/busybox sh', '/bin/dash', None)
    """
    name = base.lower()
    return _shell_of_distribution(name) or (DASH if _are_on_debian().search(name) else None)


def _shell_of_distribution(name: str) -> str | None:
    return next((shell for shell, pattern in _SHELLS if pattern().search(name)), None)


def is_of_windows(base: str, platform: str | None, *, otherwise: bool) -> bool:
    """Whether a stage is one of Windows, by its platform or else by its base; `otherwise` where neither says so.

    >>> is_of_windows("golang:nanoserver", None, otherwise=False), is_of_windows("debian:13", None, otherwise=True)
    (True, False)
    >>> is_of_windows("golang", None, otherwise=True), is_of_windows("golang", "linux/amd64", otherwise=True)
    (True, False)
    """
    system, name = (platform or "").lower(), base.lower()
    if system.startswith(("linux", "windows")):
        return system.startswith("windows")
    return _are_of_windows().search(name) is not None or (otherwise and _shell_of_distribution(name) is None)
