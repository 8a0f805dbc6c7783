"""TABLE OF CONTENTS: the rules, each in the module of its name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dockdsl.lint.rule import Rule

MODULES = [
    "add_copies_file",
    "apt_in_run",
    "cd_in_run",
    "consecutive_runs",
    "consistent_instruction_casing",
    "copy_from_itself",
    "copy_target_is_folder",
    "curl_and_wget",
    "distribution_upgrade",
    "duplicate_stage_name",
    "env_used_where_defined",
    "expose_invalid_format",
    "expose_proto_casing",
    "from_as_casing",
    "from_platform_flag_const_disallowed",
    "install_asks",
    "invalid_default_arg_in_from",
    "invalid_definition_description",
    "invalid_ignore",
    "invalid_label_key",
    "invalid_port",
    "json_args_recommended",
    "last_user_root",
    "legacy_key_value_format",
    "maintainer_deprecated",
    "multiple_instructions_disallowed",
    "named_user",
    "needless_program",
    "no_dockerfile",
    "no_empty_continuation",
    "package_cache_kept",
    "pipe_without_pipefail",
    "recommended_packages",
    "redundant_target_platform",
    "relative_copy_target",
    "replaced_shell",
    "reserved_stage_name",
    "secrets_used_in_arg_or_env",
    "shell_check",
    "sparse_user_log",
    "stage_name_casing",
    "sudo_in_run",
    "undefined_arg_in_from",
    "undefined_var",
    "unknown_copy_source",
    "unpacked_copy",
    "unpinned_base",
    "unpinned_packages",
    "unreadable",
    "unused_ignore",
    "wget_progress",
    "whole_filesystem_copied",
    "workdir_relative_path",
]


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules."""
    return tuple([import_module(f"dockdsl.lint.rules.{name}").RULE for name in MODULES])
