"""The instructions of a stage: a module for each, and `registry`, which lists them."""
