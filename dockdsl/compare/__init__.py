"""What the builder pattern and one Dockerfile of stages cost, measured side by side."""
