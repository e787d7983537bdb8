/** An entry of the log in a line for people: what it would change. */
import { messageOf } from "../errors/index.ts";
import type { Command } from "../model/index.ts";
import type { Entry } from "../raft/index.ts";
import { decodeCommand } from "../store/index.ts";

export function describeEntry({ type, data, extensions }: Entry): string {
  if (type !== "command") return type;
  if (extensions !== undefined && extensions.length > 0) return "part of a long key/value write";
  try {
    const command = decodeCommand(data);
    return command === undefined ? "a command of a newer version" : describe(command);
  } catch (error) {
    return `a command that cannot be read: ${messageOf(error)}`;
  }
}

function describe(command: Command): string {
  const { type, body } = command;
  if (type === "KVS") return `${type} ${body.Op} ${body.DirEnt.Key}`;
  if (type === "Session") return `${type} ${body.Op} ${body.Session.ID}`;
  if (type === "Txn") return `${type} of ${body.Ops?.length ?? 0} operations`;
  if (type === "PreparedQuery") return `${type} ${body.Op} ${body.Query?.Name ?? ""}`;
  if (type === "Register") {
    const check = body.Check?.CheckID ?? body.Checks?.[0]?.CheckID;
    return `${type} ${parts({ node: body.Node, service: body.Service?.ID, check })}`;
  }
  if (type === "Deregister") {
    const { Node: node, ServiceID: service, CheckID: check } = body;
    return `${type} ${parts({ node, service, check })}`;
  }
  return type;
}

/** What is named, with its name. */
function parts(named: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(named)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name} ${value}`)
    .join(" ");
}
