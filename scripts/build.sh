#!/usr/bin/env bash
# Builds build/poaid and says what it is doing: the first build on a machine downloads modules and compiles about 2,000
# packages, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/poaid}
mkdir -p "$(dirname "$out")"

version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
v=github.com/cosmos/cosmos-sdk/version
ldflags="-X $v.Name=poaid -X $v.AppName=poaid -X $v.Version=$version -X $v.Commit=$commit"

tty=0; [ -t 1 ] && tty=1
started=$(date +%s)
status=$(mktemp); trap 'rm -f "$status"' EXIT
echo "Building poaid $version."

# go build -v names every package as its turn comes, and "go: downloading" every module. Anything else is an error to show.
{ go build -v -ldflags "$ldflags" -o "$out" ./cmd/poaid 2>&1 && echo ok >"$status"; } | awk -v tty="$tty" '
  function say(s) { if (tty) printf "\r\033[K  %s", s; else if (systime_() - last >= 15) { print "  " s; last = systime_() } ; fflush() }
  function systime_(   t) { "date +%s" | getline t; close("date +%s"); return t + 0 }
  BEGIN { last = 0; if (!tty) last = systime_() }
  /^go: downloading/ {
    if (!d++) { if (tty) printf "\r\033[K"; print "  First build on this machine: downloading modules, then compiling. This takes some minutes; later builds take seconds." }
    if (tty || d % 20 == 0) say("downloading modules: " d)
    next
  }
  /^[A-Za-z0-9_.\/~+-]+$/ { c++; if (tty || c % 50 == 0) say("compiling packages: " c " of about 2000"); next }
  { if (tty) printf "\r\033[K"; print; fflush() }
  END { if (tty) printf "\r\033[K" }'
[ -s "$status" ] || { echo "The build failed." >&2; exit 1; }
echo "Built $out in $(($(date +%s) - started)) s."
