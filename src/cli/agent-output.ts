/**
 * What an agent prints: the banner and, below it, its log. Lines that are logged while it starts wait for
 * the banner; with `log_json` there is no banner, so that every line is JSON.
 */
import type { RuntimeConfig } from "../config/index.ts";
import { lineLogger, parseLogLevel, type LineLogger } from "../platform/index.ts";
import type { CliHost } from "./command.ts";
import type { LogFile } from "./log-file.ts";

const LOG_INDENT = "    ";

export interface AgentOutputNeeds {
  readonly host: CliHost;
  readonly config: RuntimeConfig;
  /** Where the log goes besides. */
  readonly file: Pick<LogFile, "write"> | undefined;
}

export class AgentOutput {
  readonly logger: LineLogger;
  readonly #host: CliHost;
  readonly #json: boolean;
  /** Lines of the log until the banner is out; undefined afterwards. */
  #held: string[] | undefined = [];

  constructor({ host, config, file }: AgentOutputNeeds) {
    this.#host = host;
    this.#json = config.logJson;
    if (this.#json) this.#held = undefined;
    this.logger = lineLogger({
      clock: host.platform.clock,
      level: parseLogLevel(config.logLevel) ?? "info",
      json: config.logJson,
      write: (record) => {
        file?.write(record);
        this.#write(record);
      },
      zoneOffsetMinutes: (wallMs) => host.platform.host.zoneOffsetMinutes(wallMs),
    });
  }

  say(text: string): void {
    if (!this.#json) this.#host.stdout(`${text}\n`);
  }

  /** Prints what was held back; from now on lines appear as they occur. */
  startLog(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.say("\n==> Log data will now stream in as it occurs:\n");
    for (const record of held) this.#write(record);
  }

  #write(record: string): void {
    if (this.#held !== undefined) this.#held.push(record);
    else this.#host.stdout(`${this.#json ? "" : LOG_INDENT}${record}\n`);
  }
}
