# What the scripts beside this file share. Sourced, not run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The comment block at the head of a script is its help.
print_help() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p}}' "$0"; }

known_presets() { echo dev release asan tsan; }

check_preset() {
  local preset
  for preset in $(known_presets); do
    [[ "$preset" == "$1" ]] && return
  done
  die "unknown preset '$1'; there are: $(known_presets)"
}

# One compiler per core, but none without 1.5 GB of memory: templates are hungry.
compile_jobs() {
  local by_memory
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
  local jobs
  jobs=$(nproc)
  ((by_memory < jobs)) && jobs=$by_memory
  ((jobs < 1)) && jobs=1
  echo "$jobs"
}

# configure <preset>: runs CMake unless the preset is configured and CMakePresets.json unchanged.
configure() {
  local build="$root/build/$1"
  if [[ -f "$build/build.ninja" && "$build/build.ninja" -nt "$root/CMakePresets.json" ]]; then
    return
  fi
  say "Configuring preset $1 in build/$1"
  (cd "$root" && cmake --preset "$1")
  touch "$build/build.ninja"
}

# build <preset> [target...]: brings the targets (default: all) up to date, with ninja's progress.
build() {
  local preset="$1"
  shift
  configure "$preset"
  say "Building preset $preset${*:+: $*}"
  NINJA_STATUS='[%f/%t, %e s] ' ninja -C "$root/build/$preset" -j "$(compile_jobs)" "$@"
}
