"""TABLE OF CONTENTS: what the runner builds and tests."""

from dockdsl.image.httpcheck import HttpCheck as HttpCheck
from dockdsl.image.image import Image as Image
