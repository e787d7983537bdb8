/** Where lines of measurements are sent to. */
import type { IpAddress, Logger, Platform } from "../platform/index.ts";

/** How long a line may wait for others to travel with. */
export const FLUSH_AFTER_MS = 100;
/** A receiver that cannot be reached is tried again after this long. */
export const RETRY_AFTER_MS = 10_000;

export interface LineSink extends AsyncDisposable {
  /** Never waits, and never throws: what cannot be sent is dropped. */
  write(line: string): void;
}

export interface LineSinkNeeds {
  readonly platform: Pick<Platform, "clock" | "network">;
  readonly logger: Logger;
  /** Its host may be a name. */
  readonly remote: IpAddress;
}
