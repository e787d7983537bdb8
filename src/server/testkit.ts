/** A server for tests as its pool shows it: alive, so that it is registered and sessions can stand on it. */
import { testConfig } from "../config/testkit.ts";
import type { PoolMember } from "./pool-member.ts";
import type { ServerPool } from "./server.ts";

export const NODE_ID = "11111111-1111-4111-8111-111111111111";

const ownMember: PoolMember = {
  name: testConfig.nodeName,
  address: testConfig.advertiseAddr,
  tags: {
    role: "consul",
    dc: "dc1",
    segment: "",
    id: NODE_ID,
    port: "8300",
    vsn: "2",
    raft_vsn: "3",
    build: "1.8.7:",
  },
  status: "alive",
  protocol: { current: 2, min: 1, max: 5 },
};

/** With nobody but the server itself. */
export const quietPool: ServerPool = {
  members: () => [ownMember],
  announceLeader: () => {},
  forceLeave: () => Promise.resolve(),
  fireConsulEvent: () => {},
  keyring: () => Promise.resolve([]),
  wan: { ownName: "n1.dc1", members: () => [], coordinates: () => new Map() },
};
