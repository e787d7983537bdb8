/**
 * Every command with where it is found. A command is imported when it is called, so that `rollcall kv get`
 * does not load an agent.
 */
import type { Command } from "./command.ts";

export interface CommandRow {
  readonly synopsis: string;
  load(): Promise<Command>;
}
export interface Group {
  readonly synopsis: string;
  readonly usage: string;
  /** What the first line says after the subcommand. Default: `[options] [args]`. */
  readonly takes?: string;
}

export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  agent: {
    synopsis: "Runs an agent",
    load: async () => (await import("./agent-command.ts")).agent,
  },
  "catalog datacenters": {
    synopsis: "Lists the known datacenters, nearest first",
    load: async () => (await import("./catalog-datacenters.ts")).catalogDatacenters,
  },
  "catalog nodes": {
    synopsis: "Lists the nodes of a datacenter",
    load: async () => (await import("./catalog-nodes.ts")).catalogNodes,
  },
  "catalog services": {
    synopsis: "Lists the services of a datacenter or of a node",
    load: async () => (await import("./catalog-services.ts")).catalogServices,
  },
  event: {
    synopsis: "Sends a user event through the datacenter",
    load: async () => (await import("./event.ts")).event,
  },
  "force-leave": {
    synopsis: "Takes a failed member for one that has left",
    load: async () => (await import("./force-leave.ts")).forceLeave,
  },
  info: {
    synopsis: "Prints figures about the agent's parts",
    load: async () => (await import("./info.ts")).info,
  },
  join: {
    synopsis: "Makes the agent join a cluster",
    load: async () => (await import("./join.ts")).join,
  },
  keygen: {
    synopsis: "Generates an encryption key for gossip",
    load: async () => (await import("./keygen.ts")).keygen,
  },
  keyring: {
    synopsis: "Lists and changes the encryption keys of gossip",
    load: async () => (await import("./keyring.ts")).keyring,
  },
  "kv delete": {
    synopsis: "Removes a key, or all keys with a prefix",
    load: async () => (await import("./kv-delete.ts")).kvDelete,
  },
  "kv export": {
    synopsis: "Prints a tree of keys as JSON",
    load: async () => (await import("./kv-export.ts")).kvExport,
  },
  "kv get": {
    synopsis: "Prints a value, or lists keys and values",
    load: async () => (await import("./kv-get.ts")).kvGet,
  },
  "kv import": {
    synopsis: "Writes a tree of keys from JSON",
    load: async () => (await import("./kv-import.ts")).kvImport,
  },
  "kv put": {
    synopsis: "Writes a value",
    load: async () => (await import("./kv-put.ts")).kvPut,
  },
  leave: {
    synopsis: "Makes the agent leave its cluster and stop",
    load: async () => (await import("./leave.ts")).leave,
  },
  lock: {
    synopsis: "Runs a program while holding a lock",
    load: async () => (await import("./lock.ts")).lock,
  },
  maint: {
    synopsis: "Takes a node or a service out of rotation, or puts it back",
    load: async () => (await import("./maint.ts")).maint,
  },
  members: {
    synopsis: "Lists the members of the cluster",
    load: async () => (await import("./members.ts")).members,
  },
  monitor: {
    synopsis: "Shows the agent's log as it is written",
    load: async () => (await import("./monitor.ts")).monitor,
  },
  "operator autopilot get-config": {
    synopsis: "Prints the settings of autopilot",
    load: async () =>
      (await import("./operator-autopilot-get-config.ts")).operatorAutopilotGetConfig,
  },
  "operator autopilot set-config": {
    synopsis: "Changes settings of autopilot",
    load: async () =>
      (await import("./operator-autopilot-set-config.ts")).operatorAutopilotSetConfig,
  },
  "operator raft list-peers": {
    synopsis: "Lists the servers that keep the log",
    load: async () => (await import("./operator-raft-list-peers.ts")).operatorRaftListPeers,
  },
  "operator raft remove-peer": {
    synopsis: "Removes a server from the log's configuration",
    load: async () => (await import("./operator-raft-remove-peer.ts")).operatorRaftRemovePeer,
  },
  "operator raft transfer-leader": {
    synopsis: "Has another server lead",
    load: async () =>
      (await import("./operator-raft-transfer-leader.ts")).operatorRaftTransferLeader,
  },
  recover: {
    synopsis: "Finds the safest server to go on from when most are lost",
    load: async () => (await import("./recover.ts")).recover,
  },
  reload: {
    synopsis: "Makes the agent read its configuration files again",
    load: async () => (await import("./reload.ts")).reload,
  },
  rtt: {
    synopsis: "Estimates the round-trip time between nodes",
    load: async () => (await import("./rtt.ts")).rtt,
  },
  "services deregister": {
    synopsis: "Removes services from the local agent",
    load: async () => (await import("./services-deregister.ts")).servicesDeregister,
  },
  "services register": {
    synopsis: "Registers services with the local agent",
    load: async () => (await import("./services-register.ts")).servicesRegister,
  },
  "snapshot inspect": {
    synopsis: "Shows what a snapshot's file holds",
    load: async () => (await import("./snapshot-inspect.ts")).snapshotInspect,
  },
  "snapshot restore": {
    synopsis: "Replaces all state by that of a snapshot",
    load: async () => (await import("./snapshot-restore.ts")).snapshotRestore,
  },
  "snapshot save": {
    synopsis: "Saves all state of the servers to a file",
    load: async () => (await import("./snapshot-save.ts")).snapshotSave,
  },
  validate: {
    synopsis: "Checks configuration files and directories",
    load: async () => (await import("./validate.ts")).validate,
  },
  version: {
    synopsis: "Prints the version",
    load: async () => (await import("./version.ts")).version,
  },
  watch: {
    synopsis: "Shows a view of the cluster, or runs a program when it changes",
    load: async () => (await import("./watch.ts")).watch,
  },
};

export const GROUPS: Readonly<Record<string, Group>> = {
  catalog: {
    synopsis: "Asks the catalog about datacenters, nodes and services",
    usage: `
  The catalog is what the servers know about every node; the agent's own
  registrations are under "rollcall services".

      $ rollcall catalog datacenters
      $ rollcall catalog nodes -service=web
      $ rollcall catalog services -tags`,
  },
  kv: {
    synopsis: "Reads and writes the key/value store",
    usage: `
  Write a value, read it back with all that is known about it, remove it:

      $ rollcall kv put redis/config/connections 5
      $ rollcall kv get -detailed redis/config/connections
      $ rollcall kv delete redis/config/connections

  Move a tree of keys to another cluster:

      $ rollcall kv export app/ | rollcall kv import -http-addr=10.0.0.9:8500 -`,
  },
  operator: {
    synopsis: "Looks after the servers of a datacenter",
    takes: "[options]",
    usage: `
  For those who run the servers. Wrong use can cost the quorum, and with it data.`,
  },
  "operator autopilot": {
    synopsis: "Prints and changes the settings of autopilot",
    takes: "[options]",
    usage: `
  Autopilot is how the leader removes dead servers and lets new ones vote.`,
  },
  "operator raft": {
    synopsis: "Lists and removes the servers that keep the log, and says who leads",
    takes: "[options]",
    usage: `
  The servers of a datacenter agree on a log of all changes by the Raft protocol.`,
  },
  snapshot: {
    synopsis: "Saves and restores the state of the servers",
    usage: `
  A snapshot is all state at one moment: the catalog, keys and values, sessions,
  prepared queries, ACLs. Keep some where the servers are not.

      $ rollcall snapshot save backup.snap
      $ rollcall snapshot inspect backup.snap
      $ rollcall snapshot restore backup.snap`,
  },
  services: {
    synopsis: "Registers services with the local agent, and removes them",
    usage: `
  Both subcommands act on the local agent. What other agents have registered is
  shown by "rollcall catalog services".

      $ rollcall services register -name=web -port=80
      $ rollcall services deregister -id=web`,
  },
};
