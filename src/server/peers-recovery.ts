/** An operator's `raft/peers.json` is obeyed before the log is opened to anybody (raft/peers-json.ts). */
import { RollcallError } from "../errors/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import { recoverByPeersJson, recoverCluster } from "../raft/index.ts";
import { Store } from "../store/index.ts";
import { storeMachine } from "./fsm.ts";
import type { RaftHome } from "./raft-home.ts";

/** The only one that there is here: servers are named by their ids. */
const RAFT_PROTOCOL = 3;

/** @throws {RollcallError} `config/invalid` with Consul's text when it cannot be obeyed; the file is still there then */
export async function recoverByPeers(
  { disk, clock, random }: Platform,
  logger: Logger,
  { directory, wal, snapshots }: RaftHome,
): Promise<void> {
  const place = { disk, directory, raftProtocol: RAFT_PROTOCOL, logger };
  try {
    await recoverByPeersJson(place, (configuration) => {
      const { stateMachine } = storeMachine({ store: new Store(), random, onApplied: () => {} });
      return recoverCluster({
        clock,
        disk,
        directory,
        wal,
        snapshots,
        stateMachine,
        configuration,
      });
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const text = `Failed to start Consul server: Failed to start Raft: ${error.message}`;
    throw new RollcallError("config/invalid", text, { cause: error });
  }
}
