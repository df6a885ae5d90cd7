#!/bin/sh
# Install the Debian/Ubuntu packages listed in the files given, those of them that are missing.
# Where that is not allowed, say which they are and how to install them.
set -eu

if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian or Ubuntu: make sure you have the equivalents of" $(cat "$@") >&2
    exit 0
fi

missing=""
for package in $(cat "$@"); do
    # A program found some other way will do, too.
    command -v "$package" >/dev/null && continue
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" && continue
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Missing system packages:$missing" >&2
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "Install them with: sudo apt-get install$missing" >&2
    exit 1
fi
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
