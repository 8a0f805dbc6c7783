"""Who made what on the engine, and what may be removed."""
