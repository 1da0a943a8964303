# SPDX-License-Identifier: Apache-2.0
# Other builds of lanerope, for scripts that compare two of them.

# Prints the folder with a build's programs. NAME is a folder that holds build/release/bin, which is taken as it is, or a git
# revision, which gets a checkout of its own under build/same and is built there.
programs_of() { # NAME PROGRAM...
  local tree=$1 revision program
  if [ ! -d "$tree/build/release/bin" ]; then
    revision=$(git rev-parse --verify --quiet --short=12 "$1^{commit}") ||
      die "\"$1\" is neither a folder that holds build/release/bin nor a git revision"
    tree=$checkout/build/same/$revision
    [ -e "$tree/.git" ] || git worktree add --quiet --detach "$tree" "$revision" >&2
    "$tree/script/build" release lanerope_cli make_model make_adapter
  fi
  for program in "${@:2}"; do
    [ -x "$tree/build/release/bin/$program" ] || die "$tree/build/release/bin holds no $program; build it there, or give a git revision"
  done
  (cd "$tree/build/release/bin" && pwd)
}

# A name as programs_of takes it, so that it means the same in another folder.
absolute() { if [ -d "$1" ]; then (cd "$1" && pwd); else echo "$1"; fi; }
