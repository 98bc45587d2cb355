// Hands the form's options to the browser's passkeys and sends what they answer with the form.
const form = document.querySelector("form[data-passkey]");
const trouble = document.querySelector("[data-trouble]");

function tell(text) {
  trouble.hidden = false;
  trouble.querySelector("p").textContent = text;
}

async function ask(kind, options) {
  if (kind === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    tell(trouble.dataset.none);
    return;
  }
  try {
    const credential = await ask(form.dataset.passkey, JSON.parse(form.dataset.options));
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch {
    tell(trouble.dataset.refused);
  }
});
