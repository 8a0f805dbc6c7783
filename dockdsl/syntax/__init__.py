"""The syntax of a Dockerfile: lines, words, flags, shell text. It does not know any instruction."""
