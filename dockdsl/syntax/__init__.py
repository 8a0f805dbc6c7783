"""How a Dockerfile is spelled: lines, words, flags, shell text. It knows no instruction."""
