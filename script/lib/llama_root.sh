# SPDX-License-Identifier: Apache-2.0
# llama.cpp's programs, for comparisons: they are in Debian's unstable distribution alone, so they get a root of their own, $llama_root, by debootstrap.

llama_root=$cache/llama-server

make_llama_root() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ "$(id -u)" = 0 ] || die "llama.cpp gets a root of its own; run this as root"
  mirror=$(host_mirror)
  [ -n "$mirror" ] || die "this system's apt configuration names no Debian mirror"
  command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
  say "making a root with llama.cpp in $llama_root (once, some minutes)"
  rm -rf "$llama_root.new" && mkdir -p "$llama_root.new"
  debootstrap --variant=minbase --keyring="$keyring" --include=ca-certificates sid "$llama_root.new" "$mirror" >"$cache/llama-server.log" 2>&1 ||
    die "debootstrap failed; see $cache/llama-server.log"
  cp -a /etc/apt/apt.conf.d/. "$llama_root.new/etc/apt/apt.conf.d/" 2>/dev/null || true
  in_root "$llama_root.new" / sh -c 'export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && apt-get install -y -qq llama.cpp-tools' \
    >>"$cache/llama-server.log" 2>&1 || die "llama.cpp could not be installed; see $cache/llama-server.log"
  mv "$llama_root.new" "$llama_root"
}
need_llama_root() { [ -d "$llama_root" ] || make_llama_root; }
