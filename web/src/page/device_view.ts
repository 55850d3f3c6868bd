import type { State } from "../engine/protocol";
import { element, make } from "./dom";

/** Which bundle is at work, updates, and the switch that lets events be sent. */
export class DeviceView {
  private readonly consent = element<HTMLInputElement>("consent");
  /** Whether the page opens without a network. */
  withoutNetwork = "not yet";
  private readonly checking = element<HTMLButtonElement>("check");

  constructor(acts: { check: () => Promise<unknown>; goBack: () => void; agree: (consent: boolean) => void }) {
    this.checking.addEventListener("click", () => {
      this.checking.disabled = true;
      void acts.check().finally(() => (this.checking.disabled = false));
    });
    element("go-back").addEventListener("click", acts.goBack);
    this.consent.addEventListener("change", () => acts.agree(this.consent.checked));
  }

  show(state: State, online: boolean): void {
    const { bundle, refused, before, channel, checked, consent, waiting, kept, problem } = state;
    const facts: [string, string | Node][] = bundle
      ? [
          ["Bundle", make("code", { id: "bundle" }, bundle.id)],
          ["Name", bundle.name],
          ["Made", new Date(bundle.created * 1000).toLocaleDateString([], { dateStyle: "medium" })],
          ["Items", number(bundle.items) + (bundle.of && bundle.of !== bundle.items ? ` of ${number(bundle.of)}` : "")],
          ["Size", `${(bundle.size / 1e6).toFixed(2)} MB, ${bundle.variant.replaceAll("_", " ")}`],
          ["Runs on", bundle.runtime],
        ]
      : [];
    facts.push(["Channel", channel]);
    facts.push(["Last asked", checked ? new Date(checked).toLocaleTimeString([], { timeStyle: "short" }) : "not yet"]);
    facts.push(["Without a network", this.withoutNetwork]);
    if (online && problem) facts.push(["The server says", problem]);
    element("facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
    element("go-back").hidden = before === null;
    element("refused").hidden = refused === null;
    const about = element("refused-about");
    about.hidden = refused === null;
    if (refused) {
      const heading = make("strong", {}, `Bundle ${refused.release} was not taken`);
      const reason = refused.reason[0].toUpperCase() + refused.reason.slice(1);
      about.replaceChildren(heading, `${reason}. The one before it goes on working.`);
    }
    this.consent.checked = consent;
    this.consent.disabled = !kept;
    const still = waiting ? ` ${number(waiting)} ${waiting === 1 ? "thing waits" : "things wait"} for the network.` : "";
    element("consent-about").textContent = consent
      ? `What you do is sent without your name and helps to make the next bundle better.${still}`
      : "Nothing that you do leaves this device.";
    element("history-about").textContent = kept
      ? `What you tap is kept on this device${consent ? ", and shared as you agreed" : " only"}.`
      : "This browser gives no storage: what you tap is forgotten when the page is closed.";
  }
}

function number(value: number): string {
  return value.toLocaleString("en");
}
