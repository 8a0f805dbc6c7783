"""Why a build or a container failed, in plain words."""
