"""A static site: its pages are made in one stage and served by busybox in another.

The pages are written in place, so that the build needs no context at all.
"""

from html import escape

from dockdsl import Arg, Cmd, Comment, Copy, Dockerfile, Expose, Healthcheck, Label, Run, Stage, User, Workdir

PAGES = {
    "index.html": "Multi-stage builds",
    "why.html": "Why one file is better than two",
}


def page(name: str, title: str) -> Copy:
    """Return the step that writes a page."""
    links = "\n".join(f'<a href="{other}">{escape(text)}</a>' for other, text in PAGES.items() if other != name)
    html = f"<!doctype html>\n<title>{escape(title)}</title>\n<h1>{escape(title)}</h1>\n{links}\n"
    return Copy.text(html, f"/site/{name}")


pages = Stage(
    "busybox:1.37",
    name="pages",
    steps=[
        Workdir("/site"),
        [page(name, title) for name, title in PAGES.items()],
        Run("for page in *.html; do gzip -k9 $page; done"),
    ],
)

site = Stage(
    "busybox:1.37",
    name="site",
    steps=[
        Arg("VERSION", "dev"),
        Label({"org.opencontainers.image.title": "Multi-stage builds", "org.opencontainers.image.version": "$VERSION"}),
        Copy("/site", "/www", from_=pages),
        User("65534:65534"),
        Expose(8080),
        Healthcheck.exec(
            *("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"),
            interval="30s",
            timeout="3s",
            start_period="10s",
            start_interval="500ms",
        ),
        Comment("httpd handles no SIGTERM, and process 1 gets no signal without a handler: the shell ends for it."),
        Cmd.exec("sh", "-c", "trap 'exit 0' TERM INT; httpd -f -p 8080 -h /www & wait $!"),
    ],
)

dockerfile = Dockerfile(site)
