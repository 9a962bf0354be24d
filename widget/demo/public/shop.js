// The page's whole part in signing in: listen for one event, hand its result to the shop's own server.
const login = document.getElementById("login");
const person = document.getElementById("person");
const fault = document.getElementById("fault");

login?.addEventListener("gatehouse-result", async ({ detail }) => {
  if (detail.error) {
    return showFault(`Signing in did not work: ${detail.description || detail.error}`);
  }
  const { code, codeVerifier, nonce, redirectUri } = detail;
  await post("api/sign-in", { code, codeVerifier, nonce, redirectUri }).then(
    showPerson,
    (error) => showFault(error.message),
  );
});

document.getElementById("sign-out").addEventListener("click", async () => {
  const { url } = await post("api/sign-out", {});
  location.assign(url);
});

const known = await fetch("api/me");
if (known.ok) showPerson(await known.json());

function showPerson({ id, name, email }) {
  fault.hidden = true;
  if (login) login.hidden = true;
  person.hidden = false;
  person.title = `User ${id}`;
  person.querySelector(".who").textContent = name;
  person.querySelector(".initials").textContent = name.split(/\s+/).map((word) => word[0]).join("")
    .slice(0, 2).toUpperCase();
  document.getElementById("greeting").textContent = email
    ? `Welcome back, ${name}. These are your trade prices; receipts go to ${email}.`
    : `Welcome back, ${name}. These are your trade prices.`;
  for (const price of document.querySelectorAll("[data-price]")) {
    price.textContent = price.dataset.price;
    price.classList.add("known");
  }
}

function showFault(text) {
  fault.textContent = text;
  fault.hidden = false;
}

async function post(path, input) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
