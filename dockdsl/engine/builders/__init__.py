"""What builds: one module each, and what they share."""
