"""The mounts of RUN: what they share, and a module for each."""
