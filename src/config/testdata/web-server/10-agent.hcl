# A server for a web site: one agent, its checks in the files beside this one.
datacenter = "Berlin"
node_name  = "web-1"
data_dir   = "/var/lib/rollcall"
bind_addr  = "{{ GetPrivateIP }}"

enable_local_script_checks = true

node_meta {
  rack = "r7"
}

ports {
  dns  = 53
  http = 8500
}

dns_config {
  node_ttl = "30s"
  service_ttl {
    "web"  = "5s"
    "db*"  = "1m30s"
  }
}
