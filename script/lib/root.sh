# SPDX-License-Identifier: Apache-2.0
# The Debian 13 root for older Debian hosts: made once with debootstrap, entered with chroot in a mount namespace of
# its own, so that nothing stays mounted when the command ends.

# Prints "URI" of the host's own Debian mirror, as apt knows it.
host_mirror() {
  apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' 2>/dev/null |
    awk -F'|' '$3 == "main" && $2 !~ /-/ && $4 == "Debian" { print $1; exit }'
}

# Enables backports beside the given suite, and the architecture that a package of the list names ("name:arm64").
write_sources() { # root mirror keyring
  local architecture
  cat >"$1/etc/apt/sources.list" <<SOURCES
deb [signed-by=$3] $2 trixie main
deb [signed-by=$3] $2 trixie-updates main
deb [signed-by=$3] $2 trixie-backports main
SOURCES
  for architecture in $(packages | sed -n 's|^[^/]*:\([a-z0-9]*\).*|\1|p' | sort -u); do
    in_root "$1" / dpkg --add-architecture "$architecture"
  done
}

make_root() { # root
  local root=$1 mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(host_mirror)
  if [ -z "$mirror" ]; then
    say "reading the host's package lists"
    apt-get update -qq >/dev/null || die "apt-get update failed; check this system's package sources"
    mirror=$(host_mirror)
  fi
  [ -n "$mirror" ] || die "this system's apt configuration names no Debian mirror; add one to /etc/apt/sources.list.d"
  [ -r "$keyring" ] || die "$keyring is missing; install debian-archive-keyring"
  command -v debootstrap >/dev/null || {
    say "installing debootstrap"
    { apt-get update -qq && apt-get install -y -qq debootstrap; } >/dev/null 2>&1 ||
      die "debootstrap could not be installed; run: apt-get install debootstrap"
  }
  rm -rf "$root.new" && mkdir -p "$root.new"
  say "making a Debian 13 root in $root (once, some minutes)"
  debootstrap --variant=minbase --keyring="$keyring" --include=ca-certificates trixie "$root.new" "$mirror" \
    >"$cache/debootstrap.log" 2>&1 || die "debootstrap failed; see $cache/debootstrap.log"
  write_sources "$root.new" "$mirror" "$keyring"
  cp -a /etc/apt/apt.conf.d/. "$root.new/etc/apt/apt.conf.d/" 2>/dev/null || true
  rm -f "$root.new"/etc/apt/apt.conf.d/*packagekit* "$root.new"/etc/apt/apt.conf.d/*appstream* \
    "$root.new"/etc/apt/apt.conf.d/*postgresql*
  echo force-unsafe-io >"$root.new/etc/dpkg/dpkg.cfg.d/lanerope"  # a root that was interrupted is made anew
  say "installing $(packages | wc -l) packages into it"
  in_root "$root.new" / sh -c 'export DEBIAN_FRONTEND=noninteractive; apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends "$@"' sh $(packages) >"$cache/packages.log" 2>&1 ||
    die "installing packages failed; see $cache/packages.log"
  mv "$root.new" "$root"
}

# Makes the root of the package list, unless it is there; only one of several callers at a time.
need_root() {
  local root
  root=$(root_dir)
  [ ! -d "$root" ] || return 0
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  [ -d "$root" ] || make_root "$root"
  exec 9>&-
}

# Runs a command in the root. Everything of the host that is not its operating system is visible at its own path.
in_root() { # root directory command...
  local root=$1 directory=$2
  shift 2
  LANEROPE_ROOT=$root LANEROPE_DIRECTORY=$directory LANEROPE_CHECKOUT=$checkout \
    unshare --mount --propagation private bash -c '
    set -e
    for name in proc dev sys; do mount --rbind "/$name" "$LANEROPE_ROOT/$name"; done
    mkdir -p "$LANEROPE_ROOT/etc" && cp -L /etc/resolv.conf /etc/hosts "$LANEROPE_ROOT/etc/" 2>/dev/null || true
    # Whom the host trusts, the root trusts: npm may have to go through a proxy that the host has a certificate of.
    trusted=/etc/ssl/certs/ca-certificates.crt
    if [ -r "$trusted" ] && [ -e "$LANEROPE_ROOT$trusted" ] && ! cmp -s "$trusted" "$LANEROPE_ROOT$trusted"; then
      cp -L "$trusted" "$LANEROPE_ROOT$trusted.$$" && mv "$LANEROPE_ROOT$trusted.$$" "$LANEROPE_ROOT$trusted"
    fi
    bind() { mkdir -p "$LANEROPE_ROOT$1" && mount --rbind "$1" "$LANEROPE_ROOT$1"; }
    for path in /*/; do
      path=${path%/}
      case $path in
        /bin | /boot | /dev | /etc | /lib* | /lost+found | /opt | /proc | /run | /sbin | /sys | /usr | /var) ;;
        *) bind "$path" ;;
      esac
    done
    case $LANEROPE_CHECKOUT in /opt/* | /usr/* | /var/* | /run/*) bind "$(dirname "$LANEROPE_CHECKOUT")" ;; esac
    exec env -u LANEROPE_ROOT -u LANEROPE_DIRECTORY -u LANEROPE_CHECKOUT -u LD_LIBRARY_PATH \
      LANEROPE_INSIDE_ROOT=1 PATH="$LANEROPE_CHECKOUT/build/release/bin":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
      chroot "$LANEROPE_ROOT" sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$LANEROPE_DIRECTORY" "$@"
  ' bash "$@"
}
