"""TABLE OF CONTENTS: what the runner builds and tests."""

from dockdsl.image.budgets import SizeBudget as SizeBudget
from dockdsl.image.budgets import StartupBudget as StartupBudget
from dockdsl.image.commandcheck import CommandCheck as CommandCheck
from dockdsl.image.filecheck import FileCheck as FileCheck
from dockdsl.image.hardened import Hardened as Hardened
from dockdsl.image.httpcheck import Header as Header
from dockdsl.image.httpcheck import HttpCheck as HttpCheck
from dockdsl.image.httpcheck import Saved as Saved
from dockdsl.image.image import Image as Image
from dockdsl.image.metadatacheck import MetadataCheck as MetadataCheck
from dockdsl.image.shutdown import GracefulShutdown as GracefulShutdown
from dockdsl.image.structure import from_structure_test as from_structure_test
