/**
 * A million mutated packets against one member of a simulated pool, plain and encrypted: how long, how much memory,
 * what was believed. Needs `npx tsc -b`.
 *
 *   node --expose-gc scripts/gossip-hostile.mjs [packets] [seed]
 */
import { goodPackets, mutated } from "../dist/gossip/hostile-packets.js";
import { Keyring } from "../dist/gossip/keyring.js";
import { hostAt, NEVER, PORT, SIM_PROFILE, SimCluster } from "../dist/gossip/testkit.js";

import { gossipKey, wrapPacket } from "../dist/wire/index.js";

const PACKETS = Number(process.argv[2] ?? 1_000_000);
const SEED = process.argv[3] ?? "1";
const STEP = 500;

for (const dress of ["plain", "encrypted"]) {
  const keyring = () => new Keyring([new Uint8Array(32).fill(9)]);
  const counted = new Map();
  const meter = {
    count: (name) => counted.set(name, (counted.get(name) ?? 0) + 1),
    sample: () => {},
  };
  const cluster = new SimCluster({
    seed: SEED,
    // Without the pool's own exchanges of state all news that is heard is the attacker's.
    profile: { ...SIM_PROFILE, pushPullIntervalMs: 0 },
    options: (name) => ({
      ...(dress === "encrypted" && { keyring: keyring() }),
      ...(name === "n0" && { meter }),
    }),
  });
  await cluster.start(3);
  await cluster.joinAll();
  await cluster.runCoarsely(5000);
  const network = cluster.world.network.at("10.9.0.66");
  const socket = await network.bindDatagram({ host: "10.9.0.66", port: PORT }, () => {});
  const random = cluster.world.random.fork("mutations");
  const plain = goodPackets(["n0", "n1", "n2", "stranger"]);
  // With a key: also sealed ones, as they can be seen on the wire, which are then changed, and others' ones.
  const sealed = (fill) => plain.map((packet) => seal(packet, fill, random));
  const packets =
    dress === "plain"
      ? plain
      : [...plain, ...sealed(9), ...sealed(8)].map((packet) => Uint8Array.from(packet));
  const genuine = new Set(packets.map((packet) => Buffer.from(packet).toString("base64")));
  const startedAt = performance.now();
  const newsBefore = news();
  let heapMaxMb = 0;
  for (let sent = 0; sent < PACKETS; sent += STEP) {
    for (let i = 0; i < STEP; i += 1) {
      const packet = mutated(packets, random);
      if (genuine.has(Buffer.from(packet).toString("base64"))) continue;
      socket.send(packet, { host: hostAt(0), port: PORT });
    }
    await cluster.runCoarsely(10);
    if (sent % 50_000 === 0) {
      globalThis.gc?.();
      heapMaxMb = Math.max(heapMaxMb, process.memoryUsage().heapUsed / 2 ** 20);
    }
  }
  const heard = news() - newsBefore;
  const tookS = (performance.now() - startedAt) / 1000;
  const node = cluster.nodes[0].gossip;
  const joined = await cluster.world.clock.until(
    cluster.nodes[1].gossip.join([hostAt(0)], { signal: NEVER }),
  );
  console.log(
    `${dress}: ${PACKETS} packets, ${cluster.nowMs / 1000} s of virtual time in ${tookS.toFixed(0)} s, ` +
      `heap at most ${heapMaxMb.toFixed(0)} MiB, ${node.memberCount} members known, ` +
      `${heard} pieces of news heard, still answers: ${joined === 1}`,
  );
  await cluster[Symbol.asyncDispose]();

  function news() {
    return ["alive", "suspect", "dead"].reduce(
      (sum, kind) => sum + (counted.get(`memberlist.msg.${kind}`) ?? 0),
      0,
    );
  }
}

function seal(packet, fill, random) {
  const sealing = { key: gossipKey(new Uint8Array(32).fill(fill)), nonce: random.bytes(12) };
  return wrapPacket(packet, { compress: false, crc: false, sealing });
}
