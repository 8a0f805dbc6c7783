"""What can be said in a stage: one module for each instruction, `registry` their table of contents."""
