"""The fuzzer runs by itself: `make fuzz` installs what it imports."""

collect_ignore_glob = ["*"]
