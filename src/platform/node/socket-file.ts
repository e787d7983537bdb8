/** Who may use a listener's socket file. Errors are worded as Consul's, for `unix_sockets`. */
import { chmod, chown, readFile } from "node:fs/promises";
import { messageOf, RollcallError } from "../../errors/index.ts";
import { errnoText } from "../go-errors.ts";
import type { SocketPath } from "../platform.ts";

const USERS = "/etc/passwd";
/** Leaves the owner, or the group, as it is. */
const UNCHANGED = -1;

/** @throws {RollcallError} `net/bind`: `Failed setting up socket: …` */
export async function giveSocketFile({ path, access }: SocketPath): Promise<void> {
  if (access === undefined) return;
  const { user, group, mode } = access;
  try {
    const uid = user === "" ? UNCHANGED : (numberIn(user, 10) ?? (await uidOf(user)));
    const gid = group === "" ? UNCHANGED : numberIn(group, 10);
    if (gid === undefined) throw new Error(`invalid group specified: ${group}`);
    const bits = mode === "" ? undefined : numberIn(mode, 8);
    if (mode !== "" && bits === undefined) throw new Error(`invalid mode specified: ${mode}`);
    await done("chown", path, chown(path, uid, gid));
    if (bits !== undefined) await done("chmod", path, chmod(path, bits & 0o7777));
  } catch (error) {
    const detail = `Failed setting up socket: ${messageOf(error)}`;
    throw new RollcallError("net/bind", detail, { cause: error });
  }
}

function numberIn(text: string, base: 8 | 10): number | undefined {
  const digits = base === 8 ? /^[0-7]{1,10}$/ : /^\d{1,10}$/;
  return digits.test(text) ? Number.parseInt(text, base) : undefined;
}

async function uidOf(name: string): Promise<number> {
  const users = await readFile(USERS, "utf8").catch(() => "");
  const entry = users.split("\n").find((line) => line.startsWith(`${name}:`));
  const uid = numberIn(entry?.split(":")[2] ?? "", 10);
  if (uid !== undefined) return uid;
  throw new Error(`failed to look up user ${name}: user: unknown user ${name}`);
}

async function done(operation: string, path: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new Error(`${operation} ${path}: ${errnoText(error)}`, { cause: error });
  }
}
