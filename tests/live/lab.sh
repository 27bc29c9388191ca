#!/bin/bash
# The lab: real servers on this machine's loopback, for tests and for trying things out. See docs/lab.md.
#   lab.sh can-run      exit code 0 when this machine can build the lab, 77 and one reason when it cannot
#   lab.sh install      packages and libraries; once, or when the pins change
#   lab.sh start        install if needed, start, seed; answers at once when it runs already
#   lab.sh up           start, then connect it to the Tenantry of this checkout
#   lab.sh connect      only connect it
#   lab.sh status       one line a process, memory, and where the clouds.yaml is
#   lab.sh where        only the address of Keystone and the path of the clouds.yaml
#   lab.sh run CMD...   run CMD against the lab, for example: lab.sh run openstack server list --all-projects
#   lab.sh stop         stop all of it and keep the data
#   lab.sh wipe         stop it and delete the data (the installed libraries stay)
set -euo pipefail
PARTS="$(cd "$(dirname "${BASH_SOURCE[0]}")/openstack" && pwd)"
. "$PARTS/settings.sh"

usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

alone() { # one start, stop or install at a time; the lock is not inherited by the servers
  mkdir -p "$TENANTRY_LAB"
  flock --close "$TENANTRY_LAB/lock" "$@"
}

start() {
  if "$PARTS/processes.py" running; then
    echo "the lab is running: $LAB_AUTH_URL, clouds.yaml in $LAB_CLOUDS"
    return
  fi
  "$PARTS/can_run.sh"
  alone "$PARTS/install.sh"
  alone "$PARTS/start.sh"
}

run() {
  local cloud="${OS_CLOUD:-tenantry-lab-admin}"
  lab_environment
  OS_CLOUD="$cloud" exec "$@"
}

case "${1:-}" in
  can-run) "$PARTS/can_run.sh" ;;
  install) "$PARTS/can_run.sh" && alone "$PARTS/install.sh" ;;
  start) start ;;
  up) start; "$PARTS/connect.sh" --once ;;
  connect) "$PARTS/connect.sh" ;;
  status) "$PARTS/processes.py" status ;;
  where) echo "$LAB_AUTH_URL $LAB_CLOUDS" ;;
  run) shift; run "$@" ;;
  stop) alone "$PARTS/processes.py" stop ;;
  wipe) alone "$PARTS/processes.py" stop && rm -rf "$LAB_STATE" "$LAB_CLOUDS" && echo "deleted $LAB_STATE" ;;
  *) usage ;;
esac
