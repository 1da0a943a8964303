# SPDX-License-Identifier: Apache-2.0
# Debian packages, unpacked into a folder of the cache and not installed: ggml loads each back end that it finds, and what is only
# tested with should not change the root of everybody.

# Puts what of these packages and their dependencies is not installed into the folder, under usr/. A package of ggml's is of the
# version that lanerope is built with.
unpack_packages() { # folder package...
  local folder=$1
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  "$checkout/script/shell" sh -c '
    cd "$1" && shift && apt-get update -qq
    version=$(dpkg-query -W -f "\${Version}" libggml0)
    wanted=
    for package in "$@"; do
      case $package in libggml*) package=$package=$version ;; esac
      wanted="$wanted $package"
    done
    packages=$(apt-get install -s --no-install-recommends $wanted | sed -n "s/^Inst \([^ ]*\) .*/\1/p") || exit
    for package in $packages; do
      case $package in libggml*) package=$package=$version ;; esac
      apt-get download -qq "$package" || exit
    done
    for file in ./*.deb; do dpkg -x "$file" . || exit; done && rm ./*.deb
  ' sh "$folder" "$@"
}
