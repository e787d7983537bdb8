import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform, type SimPlatform } from "../platform/sim/index.ts";
import { StoppingDisk } from "../wal/testkit.ts";
import { faultOf, type Configuration } from "./configuration.ts";
import { recoverByPeersJson } from "./index.ts";
import { parsePeersJson } from "./peers-json.ts";

const OBJECTS = '[{"id": "a-1", "address": "10.0.0.1:8300"}]';

describe("peers.json", () => {
  test("names servers by id from raft protocol 3 on", () => {
    const text = `[
      {"id": "a-1", "address": "10.0.0.1:8300", "non_voter": false},
      {"ID": "b-2", "Address": "10.0.0.2:8300", "Non_Voter": true, "comment": "gone soon"},
      {"id": "c-3", "address": "10.0.0.3:8300"}
    ]`;
    expect(parsePeersJson(text, 3)).toEqual({
      servers: [
        { id: "a-1", address: "10.0.0.1:8300", suffrage: "voter" },
        { id: "b-2", address: "10.0.0.2:8300", suffrage: "nonvoter" },
        { id: "c-3", address: "10.0.0.3:8300", suffrage: "voter" },
      ],
    });
  });

  test("names servers by address before", () => {
    expect(parsePeersJson('["10.0.0.1:8300", "10.0.0.2:8300"]', 2)).toEqual({
      servers: [
        { id: "10.0.0.1:8300", address: "10.0.0.1:8300", suffrage: "voter" },
        { id: "10.0.0.2:8300", address: "10.0.0.2:8300", suffrage: "voter" },
      ],
    });
  });

  test.each([
    [3, "", /JSON/],
    [3, "{}", /a list of servers was expected/],
    [3, "null", /a list of servers was expected/],
    [3, "[]", /at least one voter/],
    [3, '["10.0.0.1:8300"]', /server 1: an object was expected/],
    [3, '[{"id": "a", "address": "b"}, null]', /server 2: an object was expected/],
    [3, '[{"address": "10.0.0.1:8300"}]', /empty ID/],
    [3, '[{"id": "a"}]', /empty address/],
    [3, '[{"id": 7, "address": "b"}]', /server 1: "id" is not a string/],
    [3, '[{"id": "a", "address": "b", "non_voter": "no"}]', /neither true nor false/],
    [3, '[{"id": "a", "address": "b", "non_voter": true}]', /at least one voter/],
    [3, '[{"id": "a", "address": "b"}, {"id": "a", "address": "c"}]', /duplicate ID/],
    [3, '[{"id": "a", "address": "b"}, {"id": "c", "address": "b"}]', /duplicate address/],
    [2, OBJECTS, /server 1: an address was expected/],
    [2, '["a", "a"]', /duplicate/],
  ])("for protocol %d is refused: %s", (protocol, text, why) => {
    expect(() => parsePeersJson(text, protocol)).toThrow(why);
  });

  test("whatever it holds is a configuration of use, or an error", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(2, 3), (text, protocol) => {
        let configuration: Configuration | undefined;
        try {
          configuration = parsePeersJson(text, protocol);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        expect(faultOf(configuration)).toBeUndefined();
      }),
    );
  });
});

describe("a server that starts", () => {
  let platform: SimPlatform;
  beforeEach(() => {
    platform = simPlatform({ seed: 1 });
  });
  const directory = "/raft";
  const put = (name: string, text: string) =>
    platform.disk.replace(`${directory}/${name}`, Buffer.from(text));
  const files = async () => ((await platform.disk.list(directory)) ?? []).map(({ name }) => name);
  const start = (disk = platform.disk as SimPlatform["disk"] | StoppingDisk) => {
    const recovered: Configuration[] = [];
    const place = { disk, directory, raftProtocol: 3, logger: noLogger };
    const outcome = recoverByPeersJson(place, async (configuration) => {
      recovered.push(configuration);
    });
    return { outcome, recovered };
  };
  const begin = async (...names: readonly string[]) => {
    await platform.disk.makeDirectory(directory);
    for (const name of names) await put(name, name === "peers.json" ? OBJECTS : "");
  };

  test("leaves peers.info behind where there was nothing", async () => {
    expect(await start().outcome).toBe("nothing to do");
    expect(await files()).toEqual(["peers.info"]);
    expect(await start().outcome).toBe("nothing to do");
  });

  test("removes a peers.json without peers.info unread", async () => {
    await begin("peers.json");
    const { outcome, recovered } = start();
    expect(await outcome).toBe("nothing to do");
    expect(recovered).toEqual([]);
    expect(await files()).toEqual(["peers.info"]);
  });

  test("obeys a peers.json beside peers.info once", async () => {
    await begin("peers.info", "peers.json");
    const { outcome, recovered } = start();
    expect(await outcome).toBe("recovered");
    expect(recovered).toEqual([parsePeersJson(OBJECTS, 3)]);
    expect(await files()).toEqual(["peers.info"]);
    expect(await start().outcome).toBe("nothing to do");
  });

  test("does not start with a peers.json that is no use, and leaves it to be put right", async () => {
    await begin("peers.info");
    await put("peers.json", "[]");
    await expect(start().outcome).rejects.toThrow(
      "recovery failed to parse peers.json: need at least one voter in configuration",
    );
    expect(await files()).toEqual(["peers.info", "peers.json"]);
  });

  test("does not start, and keeps peers.json, when it cannot be obeyed", async () => {
    await begin("peers.info", "peers.json");
    const place = { disk: platform.disk, directory, raftProtocol: 3, logger: noLogger };
    const refusal = recoverByPeersJson(place, () => Promise.reject(new Error("no log")));
    await expect(refusal).rejects.toThrow("recovery failed: no log");
    expect(await files()).toEqual(["peers.info", "peers.json"]);
  });

  test("never obeys an old record, whichever call the power fails at", async () => {
    for (let callsLeft = 0; callsLeft < 6; callsLeft += 1) {
      platform = simPlatform({ seed: callsLeft });
      await begin("peers.json");
      const disk = new StoppingDisk(platform.disk, callsLeft);
      await Promise.race([start(disk).outcome, disk.stopped]);
      platform.disk.crash();
      const { outcome, recovered } = start();
      expect(await outcome).toBe("nothing to do");
      expect(recovered).toEqual([]);
      expect(await files()).toContain("peers.info");
      expect(await platform.disk.read(`${directory}/peers.json`)).toBeUndefined();
    }
  });
});
