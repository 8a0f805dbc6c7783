"""Building and running images on a real engine: a text, a context folder and a source map in, results out.

`dockdsl.engine.building` and `running` say what a builder and a runner are, `dockdsl.engine.builders.buildx` and
`dockdsl.engine.runners.docker_sdk` are the real ones, `dockdsl.engine.fake` has both for tests without an engine,
and `dockdsl.checks.smoke` asks a started container what it answers. Nothing here knows an instruction.
"""
