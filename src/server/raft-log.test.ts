import { expect, test } from "vitest";
import { RaftRefusal } from "../raft/index.ts";
import { refusalOf } from "./raft-log.ts";

test.each(["notLeader", "transferring"] as const)(
  "a command that raft refuses as %s was never proposed, and waits for a leader",
  (reason) => {
    const error = refusalOf(new RaftRefusal(reason));
    expect(error).toMatchObject({ code: "raft/no-leader", message: "No cluster leader" });
  },
);

test.each(["leadershipLost", "restored", "shutdown", "busy"] as const)(
  "a command that raft refuses as %s may have been done, and is not tried again",
  (reason) => {
    const refusal = new RaftRefusal(reason);
    expect(refusalOf(refusal)).toMatchObject({ code: "request/refused", message: refusal.message });
  },
);
