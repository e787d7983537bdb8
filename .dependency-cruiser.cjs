/**
 * Which room may import which: an arrow only points down (ARCHITECTURE.md, "The rooms").
 * A room is left out of its own list; tests may reach the simulated platform.
 */
const ROOMS = {
  errors: [],
  wire: ["errors"],
  platform: ["errors"],
  gossip: ["wire", "errors", "platform"],
  serf: ["gossip", "wire", "errors", "platform"],
  wal: ["errors", "platform"],
  raft: ["wal", "wire", "errors", "platform"],
  model: ["wire", "errors"],
  filter: ["model", "errors"],
  config: ["model", "errors", "platform"],
  telemetry: ["config", "errors", "platform"],
  snapshot: ["wire", "errors"],
  store: ["filter", "model", "wire", "errors"],
  rpc: ["model", "wire", "errors", "platform"],
  endpoints: ["rpc", "store", "filter", "model", "errors", "platform"],
  checks: ["model", "errors", "platform"],
  watch: ["model", "errors", "platform"],
  server: ["endpoints", "rpc", "snapshot", "store", "config", "raft", "wal", "wire", "model", "errors", "platform"],
  http: ["rpc", "config", "filter", "model", "errors", "platform"],
  dns: ["rpc", "config", "model", "errors", "platform"],
  agent: ["http", "dns", "server", "checks", "watch", "telemetry", "config", "filter", "rpc", "serf", "gossip", "wire", "model", "errors", "platform"],
  cli: ["agent", "server", "snapshot", "watch", "config", "model", "errors", "platform"],
};

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(([room, below]) => ({
      name: `${room}-looks-down`,
      severity: "error",
      comment: `${room} may import only: ${below.join(", ") || "nothing"}`,
      from: { path: `^src/${room}/`, pathNot: "\\.(test|sim)\\.ts$|/testkit\\.ts$" },
      to: { path: "^src/", pathNot: `^src/(${[room, ...below].join("|")})/` },
    })),
    {
      name: "rooms-have-one-door",
      severity: "error",
      comment: "Import another room through its index.ts",
      from: { path: "^src/([^/]+)/", pathNot: "\\.(test|sim)\\.ts$|/testkit\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$"] },
    },
    {
      name: "only-main-builds-the-node-platform",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/main\\.ts$", "^src/platform/", "\\.(test|sim)\\.ts$", "/testkit\\.ts$"] },
      to: { path: "^src/platform/(node|sim)/" },
    },
    {
      name: "pure-rooms",
      severity: "error",
      comment: "No Node builtins: these rooms are pure",
      from: { path: "^src/(errors|model|filter|store)/", pathNot: "\\.(test|sim)\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^dist/" },
  },
};
