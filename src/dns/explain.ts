/**
 * Why DNS would leave out an instance: for the ordinary address question, what plain UDP and what UDP with the
 * usual EDNS size have room for. Which instances are left out is drawn anew for each query; this tells one
 * possible outcome, in the catalog's order, and the numbers, which are the same for all.
 */
import type { RuntimeConfig } from "../config/index.ts";
import type { CheckServiceNode } from "../model/index.ts";
import type { ExcludedInstance, Reason } from "../rpc/index.ts";
import { compileReply } from "./compile.ts";
import { instanceOf, type ServiceQuestion } from "./instance.ts";
import { hexOf } from "./hex.ts";
import { addressesReply } from "./lookup-service.ts";
import { QUERY_TYPES, QUESTION_OFFSET, type ResourceRecord } from "./records.ts";
import { nameBelow, zoneAt } from "./reply.ts";
import { servedBy } from "./served.ts";
import { limitsOf, selectAnswers } from "./truncate.ts";

/** What resolvers ask for since the flag day of 2020: fits any path without fragments. */
const EDNS_USUAL_BYTES = 1232;
const OPT_BYTES = 11;

export interface DnsSelectionOf {
  /** What the catalog considers healthy enough for DNS, of one service. */
  readonly nodes: readonly CheckServiceNode[];
  /** What it does not, and why: passed on in front. */
  readonly excluded: readonly ExcludedInstance[];
  readonly config: RuntimeConfig;
}
export interface DnsSelection {
  /** In a plain UDP answer. */
  readonly kept: readonly CheckServiceNode[];
  readonly excluded: readonly ExcludedInstance[];
  /** Both limits in words. */
  readonly limit: string;
}

interface Outcome {
  /** Addresses that are sent, in hexadecimal. */
  readonly sent: ReadonlySet<string>;
  readonly limit: string;
}

const inCatalogOrder = (): number => 0;

export function dnsSelection({ nodes, excluded, config }: DnsSelectionOf): DnsSelection {
  const plain = outcome(nodes, config, undefined);
  const edns = outcome(nodes, config, EDNS_USUAL_BYTES);
  const kept: CheckServiceNode[] = [];
  const left: ExcludedInstance[] = [];
  for (const node of nodes) {
    const address = addressKey(node, config);
    if (plain.sent.has(address)) {
      kept.push(node);
      continue;
    }
    const outcomes = edns.sent.has(address) ? [plain] : [plain, edns];
    const Reasons = outcomes.map(({ limit }): Reason => ({ Kind: "truncation", Limit: limit }));
    left.push({ Node: node.Node.Node, ServiceID: node.Service.ID, Reasons });
  }
  return { kept, excluded: [...excluded, ...left], limit: `${plain.limit}; ${edns.limit}` };
}

function outcome(
  nodes: readonly CheckServiceNode[],
  config: RuntimeConfig,
  ednsUdpSizeBytes: number | undefined,
): Outcome {
  const { aRecordLimit, udpAnswerLimit, disableCompression } = config.dns;
  const { question, nameBytes } = addressQuestion(nodes, config);
  const asked = addressesReply(nodes, question);
  const compressed = !disableCompression;
  const limits = limitsOf({
    transport: "udp",
    ednsUdpSizeBytes,
    optSizeBytes: ednsUdpSizeBytes === undefined ? 0 : OPT_BYTES,
    udpAnswerLimit,
    compressed,
    isSrv: false,
  });
  const reply = compileReply(asked, compressed ? question.name : undefined);
  const fixedBytes = QUESTION_OFFSET + nameBytes + 4;
  const { count } = selectAnswers(reply, limits, fixedBytes, inCatalogOrder);
  const sent = asked.answers.slice(0, count).map(({ record }) => hexOf(ipOf(record)));
  const rules = [
    ...(aRecordLimit > 0 ? [`a_record_limit ${aRecordLimit}`] : []),
    ...(ednsUdpSizeBytes === undefined ? [`udp_answer_limit ${udpAnswerLimit}`] : []),
    `${limits.clientMaxBytes} bytes`,
  ];
  const transport = ednsUdpSizeBytes === undefined ? "UDP without EDNS" : "UDP with EDNS";
  const shown = `${transport}: ${count} of ${asked.answers.length} addresses`;
  return { sent: new Set(sent), limit: `${shown} (${rules.join(", ")})` };
}

function addressQuestion(
  nodes: readonly CheckServiceNode[],
  config: RuntimeConfig,
): { readonly question: ServiceQuestion; readonly nameBytes: number } {
  const zone = zoneAt(servedBy(config), 0);
  const service = (nodes[0]?.Service.Service ?? "").toLowerCase();
  const name = nameBelow(zone.domain, service, "service") ?? zone.domain;
  const type = QUERY_TYPES.ANY;
  return {
    question: { zone, config, datacenter: "", name, type, service, chasedMax: 0 },
    nameBytes: name.length,
  };
}

function addressKey(node: CheckServiceNode, config: RuntimeConfig): string {
  const { effective } = instanceOf(node, addressQuestion([node], config).question);
  return effective.kind === "ip" ? hexOf(effective.ip) : effective.text;
}

function ipOf(record: ResourceRecord): Uint8Array {
  return record.type === "A" || record.type === "AAAA" ? record.data : new Uint8Array(0);
}
