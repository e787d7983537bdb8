/** The noun of user events (Consul HTTP API, "Events"). */
import { bytes, int, struct, text, type Static } from "./schema.ts";

export const UserEvent = struct("UserEvent", {
  ID: text(),
  Name: text(),
  Payload: bytes(),
  NodeFilter: text({
    description: "Expression that a node's name must match for it to get the event",
  }),
  ServiceFilter: text({ description: "Expression that one of the node's services must match" }),
  TagFilter: text({ description: "Expression that a tag of that service must match" }),
  Version: int(),
  LTime: int({ description: "Lamport time at which it was sent; 0 before that is known" }),
});
export type UserEvent = Static<typeof UserEvent>;

/** What a caller says of an event; the rest is made when it is sent. */
export type UserEventRequest = Pick<
  UserEvent,
  "Name" | "Payload" | "NodeFilter" | "ServiceFilter" | "TagFilter"
>;
