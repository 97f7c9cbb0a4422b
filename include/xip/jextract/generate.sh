#!/bin/sh
# Makes the classes of package dev.xip.bindings from C headers with jextract.
# usage: generate.sh write|check WORK_FOLDER
#   write  replaces src/generated/java/dev/xip/bindings
#   check  fails if that folder differs from what the headers give, and shows the difference
# jextract is taken from JEXTRACT_HOME/bin, or else from PATH. Without it this fails.
set -eu

mode=${1:-} work=${2:-}
if [ "$mode" != write ] && [ "$mode" != check ] || [ -z "$work" ]; then
  echo "usage: generate.sh write|check WORK_FOLDER" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
committed=$top/src/generated/java/dev/xip/bindings

if [ -n "${JEXTRACT_HOME:-}" ]; then
  jextract=$JEXTRACT_HOME/bin/jextract
else
  jextract=$(command -v jextract || true)
fi
if [ -z "$jextract" ] || [ ! -x "$jextract" ]; then
  echo "jextract: not found: set JEXTRACT_HOME or put it on PATH; nothing was generated or checked" >&2
  exit 1
fi

rm -rf "$work"
mkdir -p "$work/java"
work=$(cd "$work" && pwd)

# own CLASS HEADER: everything that jextract finds in a header of ours, as one class.
own() {
  # From the header's own folder, here and below, so that no path of this host gets into the output.
  (cd "$top/include/xip" && "$jextract" -I .. --dump-includes "$work/$1.includes" "$2")
  sed -n "s|^--include-\([a-z]*\)  *\([^ ]*\)  *# header: .*/include/xip/$2\$|\1 \2|p" \
    "$work/$1.includes" >"$work/$1.symbols"
  bind "$1" "$top/include/xip/$2" "$work/$1.symbols"
}

# bind CLASS HEADER SYMBOLS: the named symbols as one class, and a proof that all of them are in it.
bind() {
  sed -E -e '/^(#|$)/d' "$3" | while read -r kind name; do
    printf -- '--include-%s\n%s\n' "$kind" "$name"
  done >"$work/$1.arguments"
  (cd "$(dirname "$2")" && xargs "$jextract" --output "$work/java" \
    --target-package dev.xip.bindings --header-class-name "$1" -I "$top/include" \
    "$(basename "$2")" <"$work/$1.arguments")
  missing=$(sed -E -e '/^(#|$)/d' "$3" | while read -r kind name; do
    case $kind in
      struct | typedef) [ -f "$work/java/dev/xip/bindings/$name.java" ] || echo "$name" ;;
      *) grep -q -E " $name(\(|\\\$| \{)" "$work/java/dev/xip/bindings/$1.java" || echo "$name" ;;
    esac
  done)
  if [ -n "$missing" ]; then
    echo "jextract: $1 lacks: $(echo "$missing" | tr '\n' ' ')" >&2
    exit 1
  fi
}

own PteBits pte.h
own Xip xip.h
own Guest guest.h
own Segments segment.h
own Guards guard.h
bind Libc "$here/libc.h" "$here/libc.symbols"
bind Kvm "$here/kvm.h" "$here/kvm.symbols"

made=$work/java/dev/xip/bindings
if [ "$mode" = check ]; then
  if ! diff -r -u "$committed" "$made" >&2; then
    echo "jextract: $committed is not what the headers give: mvn -Pjextract generate-sources" >&2
    exit 1
  fi
  echo "jextract: the committed bindings are what the headers give"
else
  rm -rf "$committed"
  mkdir -p "$committed"
  cp "$made"/*.java "$committed/"
  echo "jextract: wrote $(find "$committed" -name '*.java' | wc -l) files to $committed"
fi
