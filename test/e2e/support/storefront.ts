// The demo storefront as a process of its own; who it signs people in as is told later, by its file.
import { root } from "../../support/paths.ts";
import { findFreeRow } from "../../../scripts/stack/ports.ts";
import { answers } from "../../../scripts/stack/serving.ts";

export interface Storefront extends AsyncDisposable {
  url: string;
  /** Opens the shop: from now on it signs people in as this application. */
  configure(settings: { clientId: string; organizationId: string }): Promise<void>;
}

export async function startStorefront(
  { issuer, widgetUrl }: { issuer: string; widgetUrl: string },
): Promise<Storefront> {
  const listen = `127.0.0.1:${findFreeRow(1)}`;
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, "{}");
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--cached-only",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      "--allow-env",
      `--allow-read=${root},${file}`,
      "widget/demo/server.ts",
    ],
    cwd: root,
    env: {
      STOREFRONT_LISTEN: listen,
      STOREFRONT_ISSUER: issuer,
      STOREFRONT_WIDGET_URL: widgetUrl,
      STOREFRONT_CONFIG: file,
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await answers(`http://${listen}/`);
  return {
    url: `http://${listen}/`,
    configure: (settings) => Deno.writeTextFile(file, JSON.stringify(settings)),
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.status;
      await Deno.remove(file);
    },
  };
}
