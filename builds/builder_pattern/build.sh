#!/bin/sh
set -e
docker build -t notes:build -f Dockerfile.build .
docker container create --name notes-extract notes:build
docker container cp notes-extract:/out/api ./api
docker container rm notes-extract
docker build -t notes:latest .
