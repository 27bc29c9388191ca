# Settings of the OpenStack lab, sourced by its scripts. Every value can be overridden from the environment.
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
TREE="$(cd "$HERE/../../.." && pwd)"

export TENANTRY_LAB="${TENANTRY_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/tenantry-lab}"
export LAB_VENV="$TENANTRY_LAB/venv"
export LAB_STATE="$TENANTRY_LAB/openstack"
export LAB_CLOUDS="$TENANTRY_LAB/clouds.yaml"
export LAB_REGION="RegionOne"
export LAB_UNIFIED_REGION="UnifiedRegion" # the same cloud through a Nova that takes its limits from Keystone

# One line a port: the service, the setting that moves it, its default.
LAB_PORTS="
keystone      TENANTRY_LAB_KEYSTONE_PORT      15000
nova          TENANTRY_LAB_NOVA_PORT          18774
nova-unified  TENANTRY_LAB_NOVA_UNIFIED_PORT  18775
placement     TENANTRY_LAB_PLACEMENT_PORT     18778
cinder        TENANTRY_LAB_CINDER_PORT        18776
neutron       TENANTRY_LAB_NEUTRON_PORT       19696
glance        TENANTRY_LAB_GLANCE_PORT        19292
mariadb       TENANTRY_LAB_MARIADB_PORT       13306
rabbitmq      TENANTRY_LAB_RABBIT_PORT        15673
rabbitmq-dist TENANTRY_LAB_RABBIT_DIST_PORT   25673
epmd          TENANTRY_LAB_EPMD_PORT          14369
"
while read -r _service variable default; do
  [ -n "$variable" ] || continue
  export "$variable=${!variable:-$default}"
done <<<"$LAB_PORTS"

export LAB_AUTH_URL="http://127.0.0.1:$TENANTRY_LAB_KEYSTONE_PORT/v3"

lab_environment() { # what the lab's services and commands see: no OpenStack variables or proxies of the person who starts them
  local variable
  for variable in $(compgen -e OS_) http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy; do unset "$variable"; done
  export PATH="$LAB_VENV/bin:$PATH"
  export OS_CLIENT_CONFIG_FILE="$LAB_CLOUDS"
}

lab_password() { # the one password of the lab's own users, made at the first start
  cat "$LAB_STATE/password"
}

database_url() { # database_url NAME
  echo "mysql+pymysql://lab:$(lab_password)@127.0.0.1:$TENANTRY_LAB_MARIADB_PORT/$1?charset=utf8mb3"
}

lab_python() { # the interpreter the lab's libraries are pinned for
  local candidate
  for candidate in "${TENANTRY_LAB_PYTHON:-}" /usr/bin/python3.11 python3.11 python3; do
    [ -n "$candidate" ] || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { echo "$candidate"; return 0; }
  done
  return 1
}

lab_missing_packages() { # lab_missing_packages PYTHON: the Debian packages still to be installed
  local missing=()
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
  [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
  command -v epmd >/dev/null || missing+=(erlang-base)
  "$1" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  echo "${missing[*]}"
}
