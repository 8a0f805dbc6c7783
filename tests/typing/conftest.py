"""Python would refuse the file of mistakes, too."""

collect_ignore = ["fails.py"]
