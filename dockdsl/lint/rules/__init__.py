"""TABLE OF CONTENTS: the rules, each in the module of its name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dockdsl.lint.rule import Rule

MODULES = [
    "consistent_instruction_casing",
    "duplicate_stage_name",
    "expose_invalid_format",
    "expose_proto_casing",
    "from_as_casing",
    "from_platform_flag_const_disallowed",
    "invalid_default_arg_in_from",
    "invalid_definition_description",
    "invalid_ignore",
    "json_args_recommended",
    "legacy_key_value_format",
    "maintainer_deprecated",
    "multiple_instructions_disallowed",
    "no_dockerfile",
    "no_empty_continuation",
    "redundant_target_platform",
    "reserved_stage_name",
    "secrets_used_in_arg_or_env",
    "stage_name_casing",
    "undefined_arg_in_from",
    "undefined_var",
    "unreadable",
    "unused_ignore",
    "workdir_relative_path",
]


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules."""
    return tuple([import_module(f"dockdsl.lint.rules.{name}").RULE for name in MODULES])
