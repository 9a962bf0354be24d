import assert from "node:assert/strict";
import * as pages from "../../functions/widget/page.ts";
import * as policies from "../../functions/widget/page_policy.ts";

Deno.test("pages: a form may go to the origins of providers that want one, and nowhere else", () => {
  const formAction = (policy: string) => /form-action ([^;]*);/.exec(policy)![1];
  assert.equal(formAction(policies.pagePolicy), "'self'");
  assert.equal(policies.pagePolicyFor([]), policies.pagePolicy);
  const policy = policies.pagePolicyFor([
    "https://idp.example/sso?x=1",
    "https://idp.example/other",
    "javascript:alert(1)",
    "not an address",
    "https://idp.example; script-src *",
  ]);
  assert.equal(formAction(policy), "'self' https://idp.example");
  assert.equal(policy.split(";").length, policies.pagePolicy.split(";").length);
});

Deno.test("pages: the language is the application's wish, then the browser's, of those that there are", () => {
  const { pageLanguage } = pages;
  assert.equal(pageLanguage(["pl", "de-AT"], "fr"), "de");
  assert.equal(pageLanguage([], "pl, ru;q=0.8, da;q=0.9"), "da");
  assert.equal(pageLanguage([], "fr, de"), "fr");
  assert.equal(pageLanguage([], "*"), "en");
  assert.equal(pageLanguage([]), "en");
});

Deno.test("pages: each is one element, right from the first byte in language and direction; values are escaped", async () => {
  const page = await pages.accountSignInPage('"><script>x</script>', "ar");
  assert.match(page, /<html lang="ar" dir="rtl">/);
  assert.ok(!page.includes("<script>x"));
  assert.match(page, /<gatehouse-login mode="account" tenant="&quot;&gt;&lt;script/);
  assert.match(await pages.linkPage(), /<gatehouse-login mode="link"><\/gatehouse-login>/);
  assert.match(await pages.logoutPage(), /<gatehouse-login mode="logout">/);
  const account = await pages.accountPage("acme");
  assert.match(account, /<gatehouse-account tenant="acme"><\/gatehouse-account>/);
  assert.match(account, /<script src="account\.js\?h=[\w-]{16}" defer>/);
});
