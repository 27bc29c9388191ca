#!/bin/bash
# Writes every configuration file of the lab under $LAB_STATE/etc. Only what differs from the defaults is set;
# in particular the token cache (300 s) and [token] allow_expired_window are the defaults, as on most clouds.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
ETC="$LAB_STATE/etc"
RABBIT="rabbit://guest:guest@127.0.0.1:$TENANTRY_LAB_RABBIT_PORT/"
PASSWORD="$(lab_password)"
umask 077
mkdir -p "$ETC"/{keystone,placement,nova,nova-unified,cinder,neutron,glance} "$LAB_STATE"/{lock,images/staging,images/tasks,nova,cinder,neutron}

service_credentials() { # service_credentials SECTION USER: how one service logs in to another
  cat <<END
[$1]
auth_url = $LAB_AUTH_URL
auth_type = password
username = $2
password = $PASSWORD
project_name = service
user_domain_id = default
project_domain_id = default
region_name = $LAB_REGION
END
}

token_check() { # token_check USER: how a service checks the tokens it is shown
  service_credentials keystone_authtoken "$1"
  cat <<END
www_authenticate_uri = $LAB_AUTH_URL
service_token_roles = service
service_token_roles_required = true
END
}

section() { # section NAME LINE...
  echo "[$1]"
  shift
  printf '%s\n' "$@"
}

keystone_conf() {
  section DEFAULT "use_stderr = true" "public_endpoint = http://127.0.0.1:$TENANTRY_LAB_KEYSTONE_PORT/"
  section database "connection = $(database_url keystone)"
  section fernet_tokens "key_repository = $ETC/keystone/fernet-keys"
  section fernet_receipts "key_repository = $ETC/keystone/fernet-keys"
  section credential "key_repository = $ETC/keystone/credential-keys"
}

placement_conf() {
  section DEFAULT "use_stderr = true"
  section placement_database "connection = $(database_url placement)"
  section api "auth_strategy = keystone"
  token_check placement
}

nova_databases() {
  section api_database "connection = $(database_url nova_api)"
  section database "connection = $(database_url nova_cell1)"
}

nova_conf() {
  # fake.FakeDriver would make a new node at each start, and a restart would end with "No local node identity found".
  section DEFAULT "use_stderr = true" "state_path = $LAB_STATE/nova" "transport_url = $RABBIT" \
    "host = labhost1" "my_ip = 127.0.0.1" "compute_driver = fake.FakeDriverWithoutFakeNodes" \
    "sync_power_state_interval = -1" "shutdown_timeout = 1" \
    "graceful_shutdown_timeout = 4" "manager_shutdown_timeout = 1" "allow_resize_to_same_host = true"
  section conductor "workers = 1"
  section scheduler "workers = 1"
  section oslo_concurrency "lock_path = $LAB_STATE/lock"
  section glance "region_name = $LAB_REGION" "endpoint_override = http://127.0.0.1:$TENANTRY_LAB_GLANCE_PORT"
  section vnc "enabled = false"
  section key_manager "backend = nova.keymgr.conf_key_mgr.ConfKeyManager"
  service_credentials service_user nova
  echo "send_service_user_token = true"
  local peer
  for peer in placement neutron cinder keystone; do service_credentials "$peer" nova; done
  token_check nova
}

unified_limits() { # Nova's limits from Keystone: a quota write is then answered with 200 and changes nothing
  section quota "driver = nova.quota.UnifiedLimitsDriver"
  section oslo_limit "auth_url = $LAB_AUTH_URL" "auth_type = password" "username = nova" "password = $PASSWORD" \
    "user_domain_id = default" "system_scope = all" "endpoint_service_type = compute" "endpoint_service_name = nova" \
    "endpoint_region_name = $LAB_UNIFIED_REGION"
}

cinder_conf() {
  section DEFAULT "use_stderr = true" "state_path = $LAB_STATE/cinder" "transport_url = $RABBIT" \
    "auth_strategy = keystone" "api_paste_config = $ETC/cinder/api-paste.ini" \
    "resource_query_filters_file = $ETC/cinder/resource_filters.json" \
    "glance_api_servers = http://127.0.0.1:$TENANTRY_LAB_GLANCE_PORT" \
    "host = labhost1" "my_ip = 127.0.0.1" "enabled_backends = lab" "backend_host = labhost1"
  section lab "volume_driver = tenantry_lab_volume.LabVolumeDriver" "volume_backend_name = lab" "target_helper = fake"
  section database "connection = $(database_url cinder)"
  section oslo_concurrency "lock_path = $LAB_STATE/lock"
  section coordination "backend_url = file://$LAB_STATE/lock"
  service_credentials nova cinder
  service_credentials service_user cinder
  token_check cinder
}

neutron_conf() {
  section DEFAULT "use_stderr = true" "state_path = $LAB_STATE/neutron" "transport_url = $RABBIT" \
    "core_plugin = ml2" "service_plugins = router" "api_paste_config = $ETC/neutron/api-paste.ini" \
    "auth_strategy = keystone" "notify_nova_on_port_status_changes = false" \
    "notify_nova_on_port_data_changes = false" "rpc_workers = 0"
  section database "connection = $(database_url neutron)"
  section oslo_concurrency "lock_path = $LAB_STATE/lock"
  section ml2 "type_drivers = flat,vlan,vxlan,local" "tenant_network_types = vxlan" "mechanism_drivers = always_bound"
  section ml2_type_vxlan "vni_ranges = 1:10000"
  section ml2_type_flat "flat_networks = *"
  service_credentials nova neutron
  token_check neutron
}

glance_conf() {
  section DEFAULT "use_stderr = true" "transport_url = $RABBIT" "enabled_backends = fs:file" "enabled_import_methods = []" \
    "worker_self_reference_url = http://127.0.0.1:$TENANTRY_LAB_GLANCE_PORT"
  section glance_store "default_backend = fs"
  section fs "filesystem_store_datadir = $LAB_STATE/images"
  section os_glance_staging_store "filesystem_store_datadir = $LAB_STATE/images/staging"
  section os_glance_tasks_store "filesystem_store_datadir = $LAB_STATE/images/tasks"
  section database "connection = $(database_url glance)"
  section oslo_concurrency "lock_path = $LAB_STATE/lock"
  section paste_deploy "flavor = keystone" "config_file = $ETC/glance/glance-api-paste.ini"
  token_check glance
}

cp "$LAB_VENV/etc/nova/api-paste.ini" "$ETC/nova/"
cp "$LAB_VENV/etc/nova/api-paste.ini" "$ETC/nova-unified/"
cp "$LAB_VENV/etc/cinder/api-paste.ini" "$LAB_VENV/etc/cinder/resource_filters.json" "$ETC/cinder/"
cp "$LAB_VENV/etc/neutron/api-paste.ini" "$ETC/neutron/"
cp "$LAB_VENV/etc/glance/glance-api-paste.ini" "$ETC/glance/"
keystone_conf >"$ETC/keystone/keystone.conf"
placement_conf >"$ETC/placement/placement.conf"
# nova-compute complains with stack traces when its file names a database.
nova_conf >"$ETC/nova/compute.ini"
{ nova_conf && nova_databases; } >"$ETC/nova/nova.conf"
{ nova_conf && nova_databases && unified_limits; } >"$ETC/nova-unified/nova.conf"
cinder_conf >"$ETC/cinder/cinder.conf"
neutron_conf >"$ETC/neutron/neutron.conf"
glance_conf >"$ETC/glance/glance-api.conf"
echo "loopback_users.guest = true" >"$ETC/rabbitmq.conf"
echo "[]." >"$ETC/rabbitmq_plugins"
