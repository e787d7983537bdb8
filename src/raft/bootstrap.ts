/** The first entry of a new cluster: who belongs to it. The same on every server that writes one. */
import type { Wal } from "../wal/index.ts";
import { faultOf, type Configuration } from "./configuration.ts";
import { encodeConfiguration } from "./configuration-codec.ts";
import { toWalEntry } from "./wal-entry.ts";

/** @throws {Error} when there is any state already, or the configuration is of no use */
export async function bootstrap(wal: Wal, configuration: Configuration): Promise<void> {
  const fault = faultOf(configuration);
  if (fault !== undefined) throw new Error(fault);
  if (wal.lastIndex > 0 || wal.hardState.term > 0) {
    throw new Error("bootstrap only works on new clusters");
  }
  const data = encodeConfiguration(configuration);
  await wal.saveHardState({ term: 1, vote: "" });
  await wal.append([toWalEntry({ index: 1, term: 1, type: "configuration", data })]);
}
