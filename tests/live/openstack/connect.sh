#!/bin/bash
# Connects the running lab to the Tenantry of this checkout. "--once": only if that was not done since the lab was made.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
done_file="$LAB_STATE/done/connected"

if [ "${1:-}" = --once ] && [ "$(cat "$done_file" 2>/dev/null)" = "$TREE" ]; then
  echo "connected already as lab-openstack ('make lab-connect' does it again)"
  exit 0
fi
python="$TREE/.venv/bin/python"
if [ ! -x "$python" ] || ! "$python" "$TREE/manage.py" help connect >/dev/null 2>&1; then
  echo "not connected: 'manage.py connect' does not run in this checkout; 'make lab-connect' sets it up and tries again"
  exit 0
fi
cd "$TREE"
"$python" manage.py migrate --verbosity 0
"$python" manage.py connect lab-openstack --title "OpenStack lab" --kind openstack \
  --clouds-yaml "$LAB_CLOUDS" --cloud tenantry-lab --update
echo "$TREE" >"$done_file"
