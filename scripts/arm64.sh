#!/usr/bin/env bash
# The engine's results must not depend on the processor or on what the compiler fuses. This runs its tests, whose expected
# roots are the same files everywhere (engine/golden/roots.json, engine/num/testdata, commit/testdata),
#   - compiled with GOAMD64=v3, where Go turns x*y+z into one instruction,
#   - compiled for arm64 and run by qemu-user, with the NEON kernels (with and without the dot product) and the reference,
# and compiles the engine for other processors. Without qemu the arm64 part is skipped, loudly; POAI_REQUIRE_ARM64=1 makes
# that an error.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export CGO_ENABLED=0
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

qemu() { # prints the emulator, installing it where that is possible
  command -v qemu-aarch64 || command -v qemu-aarch64-static && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user; } >"$work/apt.log" 2>&1 || return 1
  command -v qemu-aarch64
}

objdump() { # the generator's test holds every instruction to it
  command -v aarch64-linux-gnu-objdump >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends binutils-aarch64-linux-gnu >"$work/apt.log" 2>&1
}

skip() {
  echo "!!! SKIPPED: $1"
  [ -f "$work/apt.log" ] && tail -n 3 "$work/apt.log"
  [ "${POAI_REQUIRE_ARM64:-0}" != 1 ]
}

v3() {
  if [ "$(go env GOHOSTARCH)" != amd64 ] || ! grep -q -w fma /proc/cpuinfo || ! grep -q -w avx2 /proc/cpuinfo; then
    echo "GOAMD64=v3: this processor cannot run it"
    return
  fi
  echo "GOAMD64=v3"
  GOAMD64=v3 go test -count=1 ./engine/num ./engine/golden
  GOAMD64=v3 go test -count=1 -run 'Matches|Specials|Reductions|Softmax' ./engine/kernel -rapid.checks=20
}

others() {
  echo "arm64, riscv64, ppc64le, loong64: go vet"
  GOARCH=arm64 go vet ./engine/... ./commit/... ./model/...
  for arch in riscv64 ppc64le loong64; do
    GOARCH=$arch go vet ./engine ./engine/num ./engine/kernel ./commit
  done
  # A big-endian host would read tensors the wrong way round: it must not compile.
  if GOARCH=s390x go build ./engine >"$work/s390x" 2>&1 || ! grep -q endian.go "$work/s390x"; then
    cat "$work/s390x"
    echo "s390x: the engine's refusal (engine/endian.go) is not what stopped the build"
    return 1
  fi
}

emulated() { # emulated <processor> <kernel> <package> [test flags]...
  local cpu=$1 kernel=$2 pkg=$3 from; shift 3
  from=$(date +%s)
  (cd "$root/$pkg" && POAI_KERNEL=$kernel "$emulator" -cpu "$cpu" "$work/${pkg//\//_}" "$@" >"$work/log" 2>&1) ||
    { cat "$work/log"; echo "arm64 $cpu $kernel $pkg: FAILED"; return 1; }
  echo "arm64 $cpu $kernel $pkg: ok, $(($(date +%s) - from)) s"
}

arm64() {
  emulator=$(qemu) || { skip "no qemu-aarch64 here and none could be installed: nothing was run on arm64"; return; }
  if objdump; then
    go test -count=1 ./engine/kernel/gen/arm64
  else
    skip "no aarch64-linux-gnu-objdump: the NEON encodings were not compared with a disassembler" || return
  fi
  for pkg in engine engine/num engine/kernel engine/golden engine/nn commit; do
    GOARCH=arm64 go test -c -o "$work/${pkg//\//_}" "./$pkg"
  done
  emulated max neon engine/num -test.short
  emulated max reference commit -test.short -rapid.checks=100
  for kernel in neon reference; do
    emulated max $kernel engine/golden
  done
  emulated cortex-a72 neon engine/golden
  # These compare the kernels with the reference by themselves. With -test.short a fifth of the checks are made.
  emulated max auto engine/kernel -test.short -test.skip 'GemmLarge|ConvDeep' -rapid.checks=200
  emulated cortex-a72 auto engine/kernel -test.short -test.run I8 -rapid.checks=200
  emulated max neon engine -test.short -rapid.checks=40
  emulated max neon engine/nn -test.short -test.run Bits
}

v3
others
arm64
