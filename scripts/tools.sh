#!/usr/bin/env bash
# Builds the pinned tools into .tools: scripts/tools.sh proto | lint. What is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mkdir -p .tools
unset GOFLAGS

BUF_NPM=@bufbuild/buf@1.75.0
GOLANGCI=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

from_module() { # from_module <package>: version as in tools/go.mod
  local name=${1##*/}
  [ -x ".tools/$name" ] && return
  echo "building $name"
  (cd tools && go build -o "$root/.tools/$name" "$1")
}

buf() { # the binary from npm takes seconds, building it takes minutes; both run the same plugins
  [ -x .tools/buf ] && return
  if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix .tools/npm "$BUF_NPM" </dev/null; then
    ln -sf npm/node_modules/.bin/buf .tools/buf
    .tools/buf --version >/dev/null && return
    rm -f .tools/buf
  fi
  from_module github.com/bufbuild/buf/cmd/buf
}

case "${1:-}" in
proto)
  buf
  from_module github.com/cosmos/gogoproto/protoc-gen-gocosmos
  from_module github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway
  from_module github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2
  ;;
lint)
  if [ ! -x .tools/golangci-lint ]; then
    echo "building golangci-lint (minutes)"
    GOBIN="$root/.tools" go install "$GOLANGCI"
  fi
  echo "building detlint"
  (cd tools && go build -o "$root/.tools/detlint" ./detlint)
  ;;
*)
  echo "usage: $0 proto|lint" >&2
  exit 2
  ;;
esac
