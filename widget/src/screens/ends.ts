/** Where a flow leads to in the end, or away. */
import { button } from "../base/stage.ts";
import { el } from "../dom.ts";
import { picture } from "../icons.ts";
import type { TextKey } from "../texts/en.ts";
import type { Draw, Play } from "./play.ts";

export const external: Draw<"external"> = (state, play) => ({
  ...turning(play, "working"),
  begin: () => play.leave(state.url, state.fields),
});

export const done: Draw<"done"> = (state, play) => ({
  ...turning(play, "done"),
  begin: () => play.finish(state.callbackUrl),
});

const finishedTexts: Record<string, TextKey> = {
  signed_in: "done",
  reset: "doneReset",
  verified: "doneVerified",
  invited: "doneInvited",
};

export const finished: Draw<"finished"> = (state, { t }) => ({
  heading: t(finishedTexts[state.what]!),
  body: [mark(), el("p", { class: "quiet" }, t("mayClose"))],
});

export const signedOut: Draw<"signed_out"> = (state, play) => {
  const { t } = play;
  const next = state.continueUrl !== undefined &&
    button(t("next"), { class: "primary", onclick: () => play.leave(state.continueUrl!) });
  return {
    heading: t("signedOut"),
    body: [mark(), next || el("p", { class: "quiet" }, t("mayClose"))],
    focus: next || undefined,
  };
};

const mark = () => el("div", { class: "mark" }, picture("check"));

const turning = ({ t }: Play, text: TextKey) => ({
  heading: t(text),
  body: [el("div", { class: "turning" })],
});
