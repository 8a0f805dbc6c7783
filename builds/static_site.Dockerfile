FROM busybox:1.37 AS pages
WORKDIR /site
COPY <<'EOF' /site/index.html
<!doctype html>
<title>Multi-stage builds</title>
<h1>Multi-stage builds</h1>
<a href="why.html">Why one file is better than two</a>
EOF
COPY <<'EOF' /site/why.html
<!doctype html>
<title>Why one file is better than two</title>
<h1>Why one file is better than two</h1>
<a href="index.html">Multi-stage builds</a>
EOF
RUN for page in *.html; do gzip -k9 $page; done

FROM busybox:1.37 AS site
ARG VERSION=dev
LABEL org.opencontainers.image.title="Multi-stage builds" org.opencontainers.image.version=$VERSION
COPY --from=pages /site /www
USER 65534:65534
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=500ms \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
# httpd handles no SIGTERM, and process 1 gets no signal without a handler: the shell ends for it.
CMD ["sh", "-c", "trap 'exit 0' TERM INT; httpd -f -p 8080 -h /www & wait $!"]
