"""dockdsl: Dockerfiles as typed Python values.

Write a `Stage` of instructions, put it into a `Dockerfile`, and `render` it::

    from dockdsl import Copy, Dockerfile, Entrypoint, Run, Stage, render

    build = Stage("golang:1.27-alpine", name="build", steps=[Copy(".", "."), Run("go build -o /api .")])
    api = Stage("scratch", steps=[Copy("/api", "/api", from_=build), Entrypoint.exec("/api")])
    print(render(Dockerfile(api)))

Names are imported when they are used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

# Importing typing would be most of the cost; a plain False would keep jedi from looking at what follows.
TYPE_CHECKING = bool()  # noqa: UP018 - see above
if TYPE_CHECKING:
    from dockdsl.checks.budgets import SizeBudget as SizeBudget
    from dockdsl.checks.budgets import StartupBudget as StartupBudget
    from dockdsl.checks.command import CommandCheck as CommandCheck
    from dockdsl.checks.file import FileCheck as FileCheck
    from dockdsl.checks.hardened import Hardened as Hardened
    from dockdsl.checks.http import HttpCheck as HttpCheck
    from dockdsl.checks.json_values import Saved as Saved
    from dockdsl.checks.metadata import MetadataCheck as MetadataCheck
    from dockdsl.checks.saving import Header as Header
    from dockdsl.checks.shutdown import GracefulShutdown as GracefulShutdown
    from dockdsl.checks.structure_test import from_structure_test as from_structure_test
    from dockdsl.codegen import to_python as to_python
    from dockdsl.errors import BuildFailed as BuildFailed
    from dockdsl.errors import CheckFailed as CheckFailed
    from dockdsl.errors import DockdslError as DockdslError
    from dockdsl.errors import DockerfileSyntaxError as DockerfileSyntaxError
    from dockdsl.errors import EngineError as EngineError
    from dockdsl.errors import EngineUnavailable as EngineUnavailable
    from dockdsl.errors import ExpansionError as ExpansionError
    from dockdsl.errors import FileError as FileError
    from dockdsl.errors import InvalidType as InvalidType
    from dockdsl.errors import InvalidValue as InvalidValue
    from dockdsl.errors import ProofUnavailable as ProofUnavailable
    from dockdsl.errors import RunFailed as RunFailed
    from dockdsl.errors import SourceError as SourceError
    from dockdsl.errors import StageError as StageError
    from dockdsl.errors import SyntaxProblem as SyntaxProblem
    from dockdsl.errors import UnknownStage as UnknownStage
    from dockdsl.image import Image as Image
    from dockdsl.instructions.add import Add as Add
    from dockdsl.instructions.arg import Arg as Arg
    from dockdsl.instructions.cmd import Cmd as Cmd
    from dockdsl.instructions.comment import Comment as Comment
    from dockdsl.instructions.copy import Copy as Copy
    from dockdsl.instructions.entrypoint import Entrypoint as Entrypoint
    from dockdsl.instructions.env import Env as Env
    from dockdsl.instructions.expose import Expose as Expose
    from dockdsl.instructions.healthcheck import Healthcheck as Healthcheck
    from dockdsl.instructions.heredoc import Heredoc as Heredoc
    from dockdsl.instructions.instruction import Instruction as Instruction
    from dockdsl.instructions.label import Label as Label
    from dockdsl.instructions.maintainer import Maintainer as Maintainer
    from dockdsl.instructions.mounts import Bind as Bind
    from dockdsl.instructions.mounts import Cache as Cache
    from dockdsl.instructions.mounts import Mount as Mount
    from dockdsl.instructions.mounts import Secret as Secret
    from dockdsl.instructions.mounts import Ssh as Ssh
    from dockdsl.instructions.mounts import Tmpfs as Tmpfs
    from dockdsl.instructions.onbuild import Onbuild as Onbuild
    from dockdsl.instructions.registry import register as register
    from dockdsl.instructions.run import Run as Run
    from dockdsl.instructions.shell import Shell as Shell
    from dockdsl.instructions.sources import external as external
    from dockdsl.instructions.stopsignal import Stopsignal as Stopsignal
    from dockdsl.instructions.user import User as User
    from dockdsl.instructions.verbatim import Verbatim as Verbatim
    from dockdsl.instructions.volume import Volume as Volume
    from dockdsl.instructions.workdir import Workdir as Workdir
    from dockdsl.model.dockerfile import Dockerfile as Dockerfile
    from dockdsl.model.graph import Edge as Edge
    from dockdsl.model.graph import StageGraph as StageGraph
    from dockdsl.model.stage import Stage as Stage
    from dockdsl.model.steps import Need as Need
    from dockdsl.model.steps import Step as Step
    from dockdsl.model.steps import Use as Use
    from dockdsl.model.steps import Variable as Variable
    from dockdsl.model.steps import needs_of as needs_of
    from dockdsl.model.steps import steps_of as steps_of
    from dockdsl.model.steps import variables_of as variables_of
    from dockdsl.origins import Origin as Origin
    from dockdsl.schema.description import describe as describe
    from dockdsl.syntax.expand import expand as expand
    from dockdsl.syntax.shell import Layout as Layout
    from dockdsl.syntax.shell import layout as layout
    from dockdsl.syntax.versions import SyntaxVersion as SyntaxVersion
    from dockdsl.syntax.words import Literal as Literal
    from dockdsl.syntax.words import literal as literal
    from dockdsl.text.parser import parse as parse
    from dockdsl.text.proof import Difference as Difference
    from dockdsl.text.proof import prove as prove
    from dockdsl.text.rendering import Rendered as Rendered
    from dockdsl.text.rendering import render as render
    from dockdsl.text.rendering import render_with_map as render_with_map

# The same names where they are at run time, by module.
_HOMES = {
    "checks.budgets": "SizeBudget StartupBudget",
    "checks.command": "CommandCheck",
    "checks.file": "FileCheck",
    "checks.hardened": "Hardened",
    "checks.http": "HttpCheck",
    "checks.json_values": "Saved",
    "checks.metadata": "MetadataCheck",
    "checks.saving": "Header",
    "checks.shutdown": "GracefulShutdown",
    "checks.structure_test": "from_structure_test",
    "codegen": "to_python",
    "errors": (
        "BuildFailed CheckFailed DockdslError DockerfileSyntaxError EngineError EngineUnavailable ExpansionError"
        " FileError InvalidType InvalidValue ProofUnavailable RunFailed SourceError StageError SyntaxProblem"
        " UnknownStage"
    ),
    "image": "Image",
    "instructions.add": "Add",
    "instructions.arg": "Arg",
    "instructions.cmd": "Cmd",
    "instructions.comment": "Comment",
    "instructions.copy": "Copy",
    "instructions.entrypoint": "Entrypoint",
    "instructions.env": "Env",
    "instructions.expose": "Expose",
    "instructions.healthcheck": "Healthcheck",
    "instructions.heredoc": "Heredoc",
    "instructions.instruction": "Instruction",
    "instructions.label": "Label",
    "instructions.maintainer": "Maintainer",
    "instructions.mounts": "Bind Cache Mount Secret Ssh Tmpfs",
    "instructions.onbuild": "Onbuild",
    "instructions.registry": "register",
    "instructions.run": "Run",
    "instructions.shell": "Shell",
    "instructions.sources": "external",
    "instructions.stopsignal": "Stopsignal",
    "instructions.user": "User",
    "instructions.verbatim": "Verbatim",
    "instructions.volume": "Volume",
    "instructions.workdir": "Workdir",
    "model.dockerfile": "Dockerfile",
    "model.graph": "Edge StageGraph",
    "model.stage": "Stage",
    "model.steps": "Need Step Use Variable needs_of steps_of variables_of",
    "origins": "Origin",
    "schema.description": "describe",
    "syntax.expand": "expand",
    "syntax.shell": "Layout layout",
    "syntax.versions": "SyntaxVersion",
    "syntax.words": "Literal literal",
    "text.parser": "parse",
    "text.proof": "Difference prove",
    "text.rendering": "Rendered render render_with_map",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

# Hidden from type checkers: they would take any name for a public one, and cannot read a list that is computed.
if not TYPE_CHECKING:
    __all__ = [*_HOME_OF]  # noqa: PLE0604 - all of them are str

    def __dir__() -> list[str]:
        return sorted([*__all__, "__version__"])

    def __getattr__(name: str) -> object:
        if name in _HOME_OF:
            from importlib import import_module

            value = getattr(import_module(f"dockdsl.{_HOME_OF[name]}"), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module 'dockdsl' has no attribute {name!r}")
