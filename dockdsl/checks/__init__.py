"""TABLE OF CONTENTS: the checks of an image, one kind a module."""

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
