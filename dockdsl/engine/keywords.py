"""The options of a build as keywords, for type checkers: `Image.build` and `Image.request` take them.

A test compares them with the fields of the requests.
"""

from __future__ import annotations

from typing import TypedDict

from dockdsl.engine.options import ContextsLike, Named, StagesLike
from dockdsl.engine.specifications import CachesLike, OutputsLike, SecretsLike, SshLike
from dockdsl.operands import PairsLike, TextsLike


class BuildKeywords(TypedDict, total=False):
    """The keywords of `Image.build` and `Image.request`: the options of a `BuildRequest`, but for the builder."""

    tags: TextsLike
    target: str | Named | None
    build_args: PairsLike
    platforms: TextsLike
    secrets: SecretsLike
    labels: PairsLike
    ignore: TextsLike
    contexts: ContextsLike
    cache_from: CachesLike
    cache_to: CachesLike
    network: str | None
    add_hosts: PairsLike
    allow: TextsLike
    ssh: SshLike
    shm_size: str | None
    ulimits: TextsLike
    annotations: PairsLike
    sbom: bool | str | None
    provenance: bool | str | None
    reproducible: bool
    source_date_epoch: int | None
    output: OutputsLike
    no_cache: bool
    no_cache_filter: StagesLike
    pull: bool
    timeout: float
