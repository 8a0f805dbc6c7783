"""What the runner builds and tests."""

from dockdsl.image.image import Image as Image
