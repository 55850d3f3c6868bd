import type { Profile, ProfileValue, Question } from "../edge/features";
import type { State } from "../engine/protocol";
import { element, make } from "./dom";

/** What a person may say of themselves: one question for each column that the model knows. */
export class ProfileView {
  private readonly form = element<HTMLFormElement>("profile");
  private shown = "";
  private profile: Record<string, ProfileValue | undefined> = {};

  constructor(private readonly said: (profile: Profile) => void) {
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  show({ questions, profile }: State): void {
    const shown = JSON.stringify([questions, profile]);
    if (shown === this.shown || this.form.contains(document.activeElement)) return;
    this.shown = shown;
    this.profile = { ...profile };
    const asked = questions.map((question) => this.question(question));
    const none = make("p", { class: "soft" }, "This model asks nothing: it goes by what you tap.");
    this.form.replaceChildren(...(asked.length ? asked : [none]));
  }

  private say(column: string, value: ProfileValue): void {
    this.profile[column] = value;
    this.said({ ...this.profile });
  }

  private question({ column, takes, values }: Question): HTMLElement {
    const title = column.replaceAll("_", " ");
    const value = this.profile[column];
    if (takes === "number") {
      const input = make("input", { type: "number", step: "any", value: typeof value === "number" ? value : "", placeholder: "not said" });
      input.addEventListener("change", () => this.say(column, input.value === "" ? null : Number(input.value)));
      return make("label", {}, title, input);
    }
    if (takes === "texts") {
      const chosen = new Set(Array.isArray(value) ? (value as string[]) : []);
      const chips = values.map((text) =>
        make(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-pressed": String(chosen.has(text)),
            onclick: ({ currentTarget }) => {
              if (!chosen.delete(text)) chosen.add(text);
              (currentTarget as HTMLElement).setAttribute("aria-pressed", String(chosen.has(text)));
              this.say(column, [...chosen]);
            },
          },
          text,
        ),
      );
      return make("fieldset", {}, make("legend", {}, title), make("div", { class: "chips" }, ...chips));
    }
    const options = values.map((text) => make("option", { value: text, selected: text === value }, text));
    const select = make("select", {}, make("option", { value: "" }, "not said"), ...options);
    select.addEventListener("change", () => this.say(column, select.value || null));
    return make("label", {}, title, select);
  }
}
