"""From the builder pattern to one file of stages: scripts are read, never run."""
