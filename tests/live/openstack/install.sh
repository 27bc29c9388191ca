#!/bin/bash
# Installs the lab: Debian's RabbitMQ and MariaDB (only their files are used), and a venv from exact pins.
# A stamp says which pins the venv was built from, so that a second call costs nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

PACKAGES=(keystone nova openstack-placement cinder neutron glance uwsgi PyMySQL python-openstackclient)

install_debian_packages() {
  # Debian starts a server when its package is installed; the lab runs its own copies, on its own ports.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  nice apt-get update -qq
  nice apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >"$TENANTRY_LAB/apt.log" 2>&1 ||
    { tail -20 "$TENANTRY_LAB/apt.log"; return 1; }
}

python="$(lab_python)"
missing="$(lab_missing_packages "$python")"
if [ -n "$missing" ]; then
  began=$SECONDS
  # shellcheck disable=SC2086  # a list of package names
  install_debian_packages $missing
  echo "installed $missing in $((SECONDS - began)) s"
fi

pins="$(cat "$HERE/constraints.txt" - <<<"${PACKAGES[*]}" | sha256sum | cut -d' ' -f1)"
if [ "$(cat "$LAB_VENV/pins" 2>/dev/null)" != "$pins" ]; then
  began=$SECONDS
  echo "installing OpenStack 2026.1 into $LAB_VENV; this takes some minutes"
  [ -x "$LAB_VENV/bin/python" ] || nice "$python" -m venv "$LAB_VENV"
  nice "$LAB_VENV/bin/pip" install -q -c "$HERE/constraints.txt" "${PACKAGES[@]}" >"$TENANTRY_LAB/pip.log" 2>&1 ||
    { tail -20 "$TENANTRY_LAB/pip.log"; exit 1; }
  echo "$pins" >"$LAB_VENV/pins"
  echo "installed the libraries in $((SECONDS - began)) s"
fi
