services {
  id   = "db-1"
  name = "db"
  port = 5432
  checks = [
    {
      name     = "port"
      tcp      = "localhost:5432"
      interval = "5s"
    },
    {
      id       = "lag"
      args     = ["/usr/local/bin/replication-lag", "-max", "30s"]
      interval = "1m"
      notes    = <<-EOT
        Standbys only:
          a primary has no lag.
        EOT
    },
  ]
}
services {
  name = "cache"
}
