/**
 * The figures of docs/gossip.md, from whole pools in virtual time. Needs `npx tsc -b`; takes minutes.
 *
 *   node scripts/gossip-figures.mjs [what ...]      what: pools, large, join, slow, stalls; all if none
 *   MEMBERS=100,1000 SEEDS=1,2,3 LOSS=0,0.05,0.3 node scripts/gossip-figures.mjs pools
 *   MEMBERS=10000 SEEDS=1 node --max-old-space-size=16000 scripts/gossip-figures.mjs large
 *   MEMBERS=10000 SEEDS=1 LOSS=0.3 OF=join,event,death node --max-old-space-size=16000 scripts/gossip-figures.mjs large
 */
import { retransmitLimit, TransmitQueue } from "../dist/gossip/index.js";
import { noLogger } from "../dist/platform/index.js";
import {
  LIFEGUARD_ONLY,
  NEVER,
  PORT,
  SIM_PROFILE,
  silentDelegate,
  SimCluster,
  SWIM_ONLY,
} from "../dist/gossip/testkit.js";

const SEEDS = (process.env.SEEDS ?? "1,2,3").split(",");
const MEMBERS = (process.env.MEMBERS ?? "100,1000").split(",").map(Number);
const LOSS = (process.env.LOSS ?? "0,0.05,0.3").split(",").map(Number);
const LATENCY = { kind: "uniform", minMs: 0.2, maxMs: 2 };
const PROFILES = {
  SWIM: { ...SIM_PROFILE, ...SWIM_ONLY },
  Lifeguard: { ...SIM_PROFILE, ...LIFEGUARD_ONLY },
  "with loop lag": SIM_PROFILE,
};
const MINUTE_MS = 60_000;

/** With so many, a second takes long enough to want to know how it goes. */
const SLOW_MEMBERS = 2000;
const MEASURES = { join: spreadOfJoin, event: spreadOfEvent, death: deathAmongMany };
const OF = (process.env.OF ?? Object.keys(MEASURES).join()).split(",");

const REPORTS = { pools, large, join, slow, stalls };
const wanted = process.argv.slice(2);
for (const [name, report] of Object.entries(REPORTS)) {
  if (wanted.length === 0 || wanted.includes(name)) await report();
}

/**
 * In one pool, at each loss: how long until news of one member has reached 50 %, 99 % and all of the others; then
 * one is killed, and how long until the first, half and all know.
 */
async function pools() {
  const spread = "news at 50 % | at 99 % | at all | formula, 99 %";
  title(
    "news of one member, and a member that is killed",
    `members | loss | ${spread} | first knows | half know | all know | false deaths`,
  );
  for (const members of MEMBERS) {
    const rowsByLoss = LOSS.map(() => []);
    for (const seed of SEEDS) {
      const cluster = await joinedPool({ members, seed });
      for (const [i, lossRatio] of LOSS.entries()) {
        cluster.world.network.links.everywhere({ latency: LATENCY, lossRatio });
        const news = await spreadOfNews(cluster, lossRatio);
        rowsByLoss[i].push([...news, ...(await discoveryOfDeath(cluster))]);
      }
      await cluster[Symbol.asyncDispose]();
    }
    for (const [i, rows] of rowsByLoss.entries()) print(members, LOSS[i], rows, "count");
  }
}

async function spreadOfNews(cluster, lossRatio) {
  const [{ name, gossip }] = cluster.nodes;
  const before = gossip.local.incarnation;
  gossip.updateMeta({ timeoutMs: 10 * MINUTE_MS, signal: NEVER }).catch(() => {});
  const heard = ({ gossip: other }) => other.member(name).incarnation > before;
  const startMs = cluster.nowMs;
  const times = [];
  for (const part of [0.5, 0.99, 1]) {
    await cluster.runUntil(() => shareOf(cluster, heard) >= part, 10 * MINUTE_MS);
    times.push(cluster.nowMs - startMs);
  }
  return [...times, expectedSpreadMs(cluster.nodes.length, lossRatio, 0.99)];
}

async function discoveryOfDeath(cluster, parts = [Number.MIN_VALUE, 0.5, 1]) {
  cluster.told.length = 0;
  const victim = cluster.nodes.at(-1);
  const startMs = cluster.nowMs;
  await cluster.kill(victim);
  const knows = ({ gossip }) => !["alive", "suspect"].includes(gossip.member(victim.name)?.state);
  const isFalse = ({ what, about }) => what === "dead" && about !== victim.name;
  const falseDeaths = () => cluster.told.filter(isFalse).length;
  const times = [];
  for (const part of parts) {
    await cluster.runUntil(() => {
      const share = shareOf(cluster, knows);
      noteProgress(cluster, startMs, () => `${share} know, ${falseDeaths()} false deaths`);
      return share >= part;
    }, 20 * MINUTE_MS);
    times.push(cluster.nowMs - startMs);
    noteReading(cluster, `death at ${part}`, times.at(-1));
  }
  return [...times, falseDeaths()];
}

function deathAmongMany(cluster) {
  return discoveryOfDeath(cluster, [Number.MIN_VALUE, 0.99, 1]);
}

function shareOf(cluster, isSo) {
  return countOf(cluster.nodes, isSo) / cluster.nodes.length;
}

function countOf(nodes, isSo) {
  return nodes.filter(isSo).length;
}

/**
 * In pools whose members know each other from the start, at each loss: how long until 99 % and all of the others know
 * of one that joins, of an event, or of one that is killed. Each in a pool of its own, in which nothing else has been
 * going on. Where a pool of many members loses much, a second takes minutes: what is known of a row so far goes to
 * stderr, in ms, and `OF` says what is measured.
 */
async function large() {
  title(
    "a member that joins, an event, a member that is killed",
    "members | loss | join at 99 % | at all | event at 99 % | at all | first knows | 99 % know | all know | false deaths",
  );
  for (const members of MEMBERS) {
    for (const lossRatio of LOSS) {
      const rows = [];
      for (const seed of SEEDS) {
        const row = [];
        for (const of of OF) {
          const { cluster, events } = await acquaintedPool({ members, seed });
          cluster.world.network.links.everywhere({ latency: LATENCY, lossRatio });
          row.push(...(await MEASURES[of](cluster, events)));
          await cluster[Symbol.asyncDispose]();
        }
        rows.push(row);
      }
      print(members, lossRatio, rows, OF.at(-1) === "death" ? "count" : "duration");
    }
  }
}

async function acquaintedPool({ members, seed }) {
  const events = eventSpread(members);
  const note = ({ name: about }) => cluster.told.push({ what: "dead", about });
  const options = (name) => ({ delegate: events.delegateOf(name, note) });
  const cluster = new SimCluster({ seed, options });
  cluster.world.network.links.everywhere({ latency: LATENCY });
  await cluster.startAcquainted(members);
  // What each says about itself when it starts.
  await cluster.runCoarsely(5000, 10);
  return { cluster, events };
}

async function spreadOfJoin(cluster) {
  const others = [...cluster.nodes];
  const { host } = others[0];
  const startMs = cluster.nowMs;
  const { name, gossip } = await cluster.startNode(`n${others.length}`);
  const tryToJoin = () => gossip.join([`${host}:${PORT}`], { signal: NEVER }).catch(tryToJoin);
  void tryToJoin();
  return timesOf(cluster, startMs, () => {
    return countOf(others, ({ gossip: other }) => other.member(name)) / others.length;
  });
}

async function spreadOfEvent(cluster, events) {
  const startMs = cluster.nowMs;
  events.fire(cluster.nodes[0].name);
  return timesOf(cluster, startMs, () => events.heard.size / cluster.nodes.length);
}

async function timesOf(cluster, startMs, share) {
  const times = [];
  for (const part of [0.99, 1]) {
    await cluster.runUntil(() => {
      const now = share();
      noteProgress(cluster, startMs, () => `${now} know`);
      return now >= part;
    }, 10 * MINUTE_MS);
    times.push(cluster.nowMs - startMs);
    noteReading(cluster, `at ${part}`, times.at(-1));
  }
  return times;
}

/** Of pools in which a second takes long. */
function noteReading({ nodes }, what, ms) {
  if (nodes.length >= SLOW_MEMBERS) console.error(`  ${what}: ${ms} ms`);
}

/** Once a second of virtual time. */
function noteProgress({ nodes, nowMs }, startMs, text) {
  const ms = nowMs - startMs;
  if (nodes.length < SLOW_MEMBERS || ms % 1000 !== 0) return;
  const heapMiB = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  const cpuS = Math.round(process.cpuUsage().user / 1e6);
  console.error(`  ${ms} ms: ${text()}; ${heapMiB} MiB, ${cpuS} s of CPU`);
}

/** The least that a layer above does with an event: who hears it for the first time passes it on. */
function eventSpread(members) {
  const heard = new Set();
  let latest = 0;
  const queues = new Map();
  const transmitLimit = retransmitLimit(SIM_PROFILE.retransmitMult, members);
  const hear = (name, bytes) => {
    if (bytes[0] !== latest || heard.has(name)) return;
    heard.add(name);
    queues.get(name).add(bytes);
  };
  return {
    heard,
    fire: (name) => {
      latest += 1;
      heard.clear();
      // About as long as one of Serf's with a short payload.
      hear(name, new Uint8Array(40).fill(latest));
    },
    delegateOf: (name, onLeave) => {
      const queue = new TransmitQueue({ maxMessages: 1 });
      queues.set(name, queue);
      return silentDelegate({
        onUserMessage: (bytes) => hear(name, bytes),
        broadcasts: (overheadBytes, limitBytes) => {
          return queue.take({ overheadBytes, limitBytes, transmitLimit });
        },
        onLeave,
      });
    },
  };
}

/** From an empty pool, everybody joining at once, to all views complete. */
async function join() {
  title("all join at once", "members | loss | 99.9 % of all views | all views | real time, s");
  for (const members of MEMBERS) {
    for (const lossRatio of LOSS) {
      const rows = [];
      for (const seed of SEEDS) {
        const startedAt = performance.now();
        const cluster = new SimCluster({ seed });
        cluster.world.network.links.everywhere({ latency: LATENCY, lossRatio });
        await cluster.start(members);
        joinInTree(cluster);
        const seen = () => cluster.nodes.reduce((sum, { gossip }) => sum + gossip.aliveCount, 0);
        const row = [];
        for (const part of [0.999, 1]) {
          await cluster.runUntil(() => seen() >= part * members * members, 60 * MINUTE_MS, {
            stepMs: 100,
          });
          row.push(cluster.nowMs);
        }
        row.push(performance.now() - startedAt);
        rows.push(row);
        await cluster[Symbol.asyncDispose]();
      }
      print(members, lossRatio, rows);
    }
  }
}

/** Members that hear everything ten seconds late, for three minutes: who is wrongly declared dead, and by whom. */
async function slow() {
  title(
    "slow members among 128, for three minutes",
    "slow | protocol | false deaths | of these at healthy members",
  );
  for (const slowCount of [1, 4, 8]) {
    for (const [name, profile] of Object.entries(PROFILES)) {
      let all = 0;
      let atHealthy = 0;
      for (const seed of SEEDS) {
        const cluster = await joinedPool({ members: 128, seed, profile });
        const slowNodes = cluster.nodes.slice(0, slowCount);
        const hosts = new Set(slowNodes.map(({ host }) => host));
        const names = new Set(slowNodes.map((node) => node.name));
        cluster.told.length = 0;
        cluster.world.network.links.fault(({ from, to }) => {
          return hosts.has(to) && from !== to ? { delayMs: 10_000 } : "pass";
        });
        await cluster.runCoarsely(3 * MINUTE_MS, 10);
        const falseDeaths = cluster.told.filter(
          ({ what, about }) => what === "dead" && !names.has(about),
        );
        all += falseDeaths.length;
        atHealthy += falseDeaths.filter(({ by }) => !names.has(by)).length;
        await cluster[Symbol.asyncDispose]();
      }
      console.log(`${slowCount} | ${name} | ${all} | ${atHealthy}`);
    }
  }
}

/** One of twenty members stands still again and again. */
async function stalls() {
  title(
    "sixty stalls of five seconds",
    "loss | protocol | accusations by the stalled | false deaths",
  );
  for (const lossRatio of LOSS) {
    for (const [name, profile] of Object.entries(PROFILES)) {
      let accusations = 0;
      let deaths = 0;
      for (const seed of SEEDS) {
        const info = (line) => {
          if (line.includes("has failed")) accusations += 1;
        };
        const options = (member) => (member === "n4" ? { logger: { ...noLogger, info } } : {});
        const cluster = await joinedPool({ members: 20, seed, profile, options, lossRatio });
        cluster.told.length = 0;
        const random = cluster.world.random.fork("pauses");
        for (let round = 0; round < 60; round += 1) {
          const stall = cluster.nodes[4].loop.stall();
          await cluster.runCoarsely(5000, 10);
          stall[Symbol.dispose]();
          await cluster.runCoarsely(random.between(0, 3000), 10);
        }
        deaths += cluster.told.filter(
          ({ what, about }) => what === "dead" && about !== "n4",
        ).length;
        await cluster[Symbol.asyncDispose]();
      }
      console.log(`${lossRatio * 100} % | ${name} | ${accusations} | ${deaths}`);
    }
  }
}

/** Joined without loss; it has nothing left to say when this resolves. */
async function joinedPool({ members, seed, profile = SIM_PROFILE, options, lossRatio = 0 }) {
  const cluster = new SimCluster({ seed, profile, ...(options && { options }) });
  cluster.world.network.links.everywhere({ latency: LATENCY });
  await cluster.start(members);
  joinInTree(cluster);
  await cluster.runUntil(() => cluster.allSeeAll, 60 * MINUTE_MS, { stepMs: 100 });
  await cluster.runCoarsely(members >= 500 ? 90_000 : 30_000, 10);
  cluster.world.network.links.everywhere({ latency: LATENCY, lossRatio });
  return cluster;
}

/** At most 32 join the same one, as a member takes 128 at a time; who fails, as on a bad network, tries again. */
function joinInTree(cluster) {
  for (const [i, { gossip }] of cluster.nodes.entries()) {
    const { signal } = new AbortController();
    const to = cluster.nodes[Math.floor(i / 32)];
    const tryToJoin = () => gossip.join([`${to.host}:${PORT}`], { signal }).catch(tryToJoin);
    if (i > 0) void tryToJoin();
  }
}

/** Serf's convergence simulator: a logistic curve over rounds of gossip, solved for the time. */
function expectedSpreadMs(members, lossRatio, share) {
  const { gossipNodes, gossipIntervalMs } = SIM_PROFILE;
  const contacts = gossipNodes * (1 - lossRatio);
  const rounds = Math.log((members + 1) / (1 / share - 1)) / contacts;
  return rounds * gossipIntervalMs;
}

function title(what, columns) {
  console.log(`\n## ${what}; seeds ${SEEDS.join()}; medians of the seeds\n${columns}`);
}

/** @param rows one a seed; durations in ms, but for the last column when it counts */
function print(members, lossRatio, rows, last = "duration") {
  const columns = rows[0].map((_, i) => rows.map((row) => row[i]).toSorted((a, b) => a - b));
  const shown = columns.map((values, i) => {
    const median = values[Math.floor(values.length / 2)];
    const isCount = last === "count" && i === columns.length - 1;
    return isCount ? String(median) : `${(median / 1000).toFixed(1)} s`;
  });
  console.log(`${members} | ${lossRatio * 100} % | ${shown.join(" | ")}`);
}
