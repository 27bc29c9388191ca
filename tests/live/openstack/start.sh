#!/bin/bash
# Starts the servers on 127.0.0.1, in the order they need each other. The first start makes the databases, the users,
# the catalog and the seed; later starts find them. A start that fails stops what it started.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
BEGAN="$(date +%s)"
ETC="$LAB_STATE/etc"

told() { printf '%4d s  %s\n' $(($(date +%s) - BEGAN)) "$1"; }

give_up() {
  [ ! -e "$LAB_STATE/started" ] || return 0
  echo "the lab did not start; the logs are in $LAB_STATE/log" >&2
  "$HERE/processes.py" stop || true
  exit 1
}

spawn() { # spawn NAME COMMAND...: in a session of its own, marked so that processes.py finds it and its children
  local name=$1
  shift
  LAB_STATE_OF="$LAB_STATE" setsid nohup "$@" >"$LAB_STATE/log/$name.log" 2>&1 </dev/null &
  echo "$! $(cut -d' ' -f22 "/proc/$!/stat") $(cat /proc/sys/kernel/random/boot_id)" >"$LAB_STATE/pid/$name.pid"
}

spawn_api() { # spawn_api NAME PORT MODULE WORKERS [ARGUMENTS the module reads from sys.argv]
  spawn "$1" "$LAB_VENV/bin/uwsgi" --http-socket "127.0.0.1:$2" --module "$3:application" --master --processes "$4" \
    --enable-threads --lazy-apps --die-on-term --buffer-size 65535 --add-header "Connection: close" \
    --disable-logging --need-app ${5:+--pyargv "$5"}
}

once() { # once NAME COMMAND...: a step of the first start
  local name=$1
  shift
  [ ! -e "$LAB_STATE/done/$name" ] || return 0
  LAB_STATE_OF="$LAB_STATE" "$@" >"$LAB_STATE/log/first-$name.log" 2>&1 ||
    { echo "first start: $name failed" >&2; tail -15 "$LAB_STATE/log/first-$name.log" >&2; return 1; }
  touch "$LAB_STATE/done/$name"
  told "made $name"
}

wait_for() { # wait_for WHAT...: until each answers
  "$LAB_VENV/bin/python" "$HERE/ready.py" "$@"
  told "$* ready"
}

refuse_taken_ports() {
  local service variable default
  while read -r service variable default; do
    [ -n "$variable" ] || continue
    ! (: </dev/tcp/127.0.0.1/"${!variable}") 2>/dev/null ||
      { echo "port ${!variable} ($service) is taken: stop what listens there, or set $variable to a free port" >&2; exit 1; }
  done <<<"$LAB_PORTS"
}

refuse_moved_ports() { # the catalog and the databases of the first start name the ports
  local now
  now="$(while read -r _ variable _; do [ -z "$variable" ] || echo "$variable=${!variable}"; done <<<"$LAB_PORTS")"
  [ -e "$LAB_STATE/ports" ] || echo "$now" >"$LAB_STATE/ports"
  diff "$LAB_STATE/ports" - <<<"$now" ||
    { echo "the lab's data was made with other ports (above, <): set them back, or delete the data with 'make lab-wipe'" >&2; exit 1; }
}

start_mariadb() {
  local data="$LAB_STATE/mariadb" socket="$LAB_STATE/mariadb.sock"
  make_data() {
    mariadb-install-db --no-defaults --datadir="$data" --user="$(id -un)" --skip-test-db --auth-root-authentication-method=normal
  }
  once mariadb make_data
  # Durability is given up: a lab that loses its last second in a power cut is wiped, not mended.
  spawn mariadb /usr/sbin/mariadbd --no-defaults --datadir="$data" --user="$(id -un)" --bind-address=127.0.0.1 \
    --port="$TENANTRY_LAB_MARIADB_PORT" --socket="$socket" --pid-file="$LAB_STATE/mariadb.own.pid" --skip-name-resolve \
    --innodb-flush-log-at-trx-commit=0 --skip-log-bin --innodb-buffer-pool-size=256M --max-connections=500 \
    --character-set-server=utf8mb3
  wait_for "port:$TENANTRY_LAB_MARIADB_PORT"
  make_databases() {
    local name
    {
      for name in keystone placement nova_api nova_cell0 nova_cell1 cinder neutron glance; do echo "CREATE DATABASE $name;"; done
      echo "GRANT ALL ON *.* TO lab@'127.0.0.1' IDENTIFIED BY '$(lab_password)';"
    } | mariadb --no-defaults -u root --socket="$socket"
  }
  once databases make_databases
}

start_rabbitmq() {
  export ERL_EPMD_PORT="$TENANTRY_LAB_EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1
  # Our own port mapper: the one RabbitMQ would start is shared by the machine and outlives it.
  spawn epmd epmd -address 127.0.0.1 -port "$TENANTRY_LAB_EPMD_PORT"
  wait_for "port:$TENANTRY_LAB_EPMD_PORT"
  HOME="$LAB_STATE" RABBITMQ_NODENAME="lab$TENANTRY_LAB_RABBIT_PORT@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
    RABBITMQ_NODE_PORT="$TENANTRY_LAB_RABBIT_PORT" RABBITMQ_DIST_PORT="$TENANTRY_LAB_RABBIT_DIST_PORT" \
    RABBITMQ_MNESIA_BASE="$LAB_STATE/rabbitmq" RABBITMQ_LOG_BASE="$LAB_STATE/log" RABBITMQ_CONFIG_FILE="$ETC/rabbitmq" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq_plugins" RABBITMQ_PID_FILE="$LAB_STATE/rabbitmq.own.pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
    spawn rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server
}

start_keystone() {
  export OS_KEYSTONE_CONFIG_DIR="$ETC/keystone"
  make_keystone() {
    local manage="keystone-manage --config-file $ETC/keystone/keystone.conf" user group
    user="$(id -un)" group="$(id -gn)"
    $manage db_sync &&
      $manage fernet_setup --keystone-user "$user" --keystone-group "$group" &&
      $manage credential_setup --keystone-user "$user" --keystone-group "$group" &&
      $manage bootstrap --bootstrap-password "$(lab_password)" --bootstrap-region-id "$LAB_REGION" \
        --bootstrap-public-url "$LAB_AUTH_URL" --bootstrap-internal-url "$LAB_AUTH_URL" --bootstrap-admin-url "$LAB_AUTH_URL"
  }
  once keystone make_keystone
  spawn_api keystone "$TENANTRY_LAB_KEYSTONE_PORT" keystone.wsgi.api 2
  wait_for "http:$TENANTRY_LAB_KEYSTONE_PORT"
  once catalog "$LAB_VENV/bin/python" "$HERE/catalog.py"
}

make_nova() {
  local manage="nova-manage --config-file $ETC/nova/nova.conf"
  $manage api_db sync &&
    $manage cell_v2 map_cell0 --database_connection "$(database_url nova_cell0)" &&
    $manage db sync &&
    $manage cell_v2 create_cell --name cell1 --database_connection "$(database_url nova_cell1)" \
      --transport-url "rabbit://guest:guest@127.0.0.1:$TENANTRY_LAB_RABBIT_PORT/"
}

make_schemas() { # two at a time, for two cores; set -e does not see into a background job, hence the chains
  once nova-schema make_nova &
  local nova=$!
  { once neutron-schema neutron-db-manage --config-file "$ETC/neutron/neutron.conf" upgrade heads &&
    once cinder-schema cinder-manage --config-file "$ETC/cinder/cinder.conf" db sync &&
    once glance-schema glance-manage --config-file "$ETC/glance/glance-api.conf" db_sync &&
    once placement-schema placement-manage --config-file "$ETC/placement/placement.conf" db sync; } &
  wait "$nova"
  wait $!
}

start_services() {
  export OS_PLACEMENT_CONFIG_DIR="$ETC/placement" OS_NOVA_CONFIG_DIR="$ETC/nova" OS_GLANCE_CONFIG_DIR="$ETC/glance"
  # Under WSGI Neutron would also want plugins/ml2/ml2_conf.ini.
  export OS_NEUTRON_CONFIG_DIR="$ETC/neutron" OS_NEUTRON_CONFIG_FILES=neutron.conf
  wait_for "port:$TENANTRY_LAB_RABBIT_PORT"
  spawn_api placement "$TENANTRY_LAB_PLACEMENT_PORT" placement.wsgi.api 1
  spawn_api glance "$TENANTRY_LAB_GLANCE_PORT" glance.wsgi.api 1
  spawn_api neutron "$TENANTRY_LAB_NEUTRON_PORT" neutron.wsgi.api 1
  spawn_api cinder "$TENANTRY_LAB_CINDER_PORT" cinder.wsgi.api 1 "--config-file $ETC/cinder/cinder.conf"
  spawn_api nova-api "$TENANTRY_LAB_NOVA_PORT" nova.wsgi.osapi_compute 2
  OS_NOVA_CONFIG_DIR="$ETC/nova-unified" spawn_api nova-unified "$TENANTRY_LAB_NOVA_UNIFIED_PORT" nova.wsgi.osapi_compute 1
  spawn nova-conductor nova-conductor --config-file "$ETC/nova/nova.conf"
  spawn nova-scheduler nova-scheduler --config-file "$ETC/nova/nova.conf"
  spawn cinder-scheduler cinder-scheduler --config-file "$ETC/cinder/cinder.conf"
  spawn cinder-volume cinder-volume --config-file "$ETC/cinder/cinder.conf"
  wait_for "http:$TENANTRY_LAB_PLACEMENT_PORT"
  spawn nova-compute nova-compute --config-file "$ETC/nova/compute.ini"
  wait_for "http:$TENANTRY_LAB_GLANCE_PORT" "http:$TENANTRY_LAB_NEUTRON_PORT" "http:$TENANTRY_LAB_CINDER_PORT" \
    "http:$TENANTRY_LAB_NOVA_PORT" "http:$TENANTRY_LAB_NOVA_UNIFIED_PORT"
}

if "$HERE/processes.py" running; then
  echo "the lab is running: $LAB_AUTH_URL, clouds.yaml in $LAB_CLOUDS"
  exit 0
fi
"$HERE/processes.py" stop >/dev/null # what a killed start left behind
mkdir -p "$LAB_STATE"/{pid,log,done}
chmod 700 "$LAB_STATE"
refuse_taken_ports
refuse_moved_ports
trap give_up EXIT
lab_environment
export PYTHONPATH="$HERE/plugins"
[ -e "$LAB_STATE/password" ] || (umask 077 && head -c 18 /dev/urandom | base64 | tr -d '+/=' >"$LAB_STATE/password")
LAB_PASSWORD="$(lab_password)" LAB_START="$(date -u +%Y-%m-%dT%H:%M:%S)"
export LAB_PASSWORD LAB_START
"$HERE/configure.sh"
start_mariadb
start_rabbitmq
start_keystone
make_schemas
start_services
wait_for agents
once hosts nova-manage --config-file "$ETC/nova/nova.conf" cell_v2 discover_hosts
wait_for hypervisor
once seed "$LAB_VENV/bin/python" "$HERE/seed.py"
date -u +%Y-%m-%dT%H:%M:%SZ >"$LAB_STATE/started"
told "the lab is running: $LAB_AUTH_URL, clouds.yaml in $LAB_CLOUDS"
