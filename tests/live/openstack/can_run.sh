#!/bin/bash
# Can this machine build and run the lab? Exit code 0, or 77 with one clear reason.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

skip() { echo "the lab cannot run here: $1" >&2; exit 77; }

[ "$(uname -sm)" = "Linux x86_64" ] || skip "it is built for Linux on x86_64, this is $(uname -sm)"
release="$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}")" || release="unknown"
[ "$release" = "debian 12" ] || skip "it is built for Debian 12, this is $release"
python="$(lab_python)" || skip "it needs Python 3.11 (its pinned libraries are for that one); apt-get install python3 python3-venv"
missing="$(lab_missing_packages "$python")"
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || skip "not root, and these packages are missing: apt-get install $missing"
  command -v apt-get >/dev/null || skip "there is no apt-get to install: $missing"
fi
