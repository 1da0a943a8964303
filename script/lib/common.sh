# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts in script/: where things are, how they speak, and which of the three environments is used.
#
#   native  this system has what script/packages.txt names (Debian 13 with backports, or CMake finds ggml >= 0.27)
#   root    an older Debian, as root: a Debian 13 root under the cache directory, entered with chroot
#   none    anywhere else: say what the options are

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lanerope
packages_file=$checkout/script/packages.txt

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

packages() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$packages_file"; }

# Anything that would make an existing root wrong changes its name, so that a stale one is never used.
root_key() { { packages; sed -n '/^make_root/,/^}/p' "$checkout/script/lib/root.sh"; } | sha256sum | cut -c1-12; }
root_dir() { printf '%s/debian13-%s' "$cache" "$(root_key)"; }

have_native() {
  local work
  command -v cmake >/dev/null && command -v c++ >/dev/null || return 1
  work=$(mktemp -d) || return 1
  cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(probe CXX)
find_package(ggml 0.27 REQUIRED)
CMAKE
  cmake -S "$work" -B "$work/build" >/dev/null 2>&1
  local status=$?
  rm -rf "$work"
  return $status
}

environment() {
  if [ -n "${LANEROPE_INSIDE_ROOT:-}" ] || have_native; then
    echo native
  elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v unshare >/dev/null; then
    if [ "$(. /etc/os-release && echo "${VERSION_ID:-0}" | cut -d. -f1)" -ge 13 ] 2>/dev/null &&
      [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
      echo debian13
    else
      echo root
    fi
  else
    echo none
  fi
}

no_environment() {
  die "lanerope needs CMake 3.25, a C++20 compiler and ggml 0.27, and this system has no such ggml. Options:
  - Debian 13: enable trixie-backports and install the packages in script/packages.txt (as root, script/bootstrap does it);
  - an older Debian: run this script as root, and it makes a Debian 13 root in $cache;
  - any system with containers: docker build -t lanerope . && docker run -it lanerope;
  - elsewhere: install ggml 0.27 or newer so that CMake finds it."
}
