/** Where a component reports. The line's text is Consul's where operators match on it. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry `name`, nested as `agent.dns`. */
  named(name: string): Logger;
}
export type LogFields = Readonly<Record<string, unknown>>;

const silent = (): void => {};
export const noLogger: Logger = {
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  named: () => noLogger,
};
