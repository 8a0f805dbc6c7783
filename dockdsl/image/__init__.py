"""Image: what is built of a Dockerfile. `declaration` is what is written, `actions` is what can be done with it."""

from dockdsl.image.actions import Image as Image
