import { element } from "./dom";

interface InstallPrompt extends Event {
  prompt(): Promise<void>;
}

/** Lets the page open without a network, offers to install it, and offers newer versions of it. */
export async function keepOffline(): Promise<"kept" | "insecure" | "absent"> {
  const install = element<HTMLButtonElement>("install");
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    install.hidden = false;
    install.onclick = () => void (event as InstallPrompt).prompt().then(() => (install.hidden = true));
  });
  addEventListener("appinstalled", () => (install.hidden = true));
  if (!isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator)) return "absent";
  try {
    const registration = await navigator.serviceWorker.register("sw.js", { scope: "./" });
    offerRestart(registration);
    registration.addEventListener("updatefound", () => {
      const coming = registration.installing;
      coming?.addEventListener("statechange", () => offerRestart(registration));
    });
    await navigator.serviceWorker.ready;
    // Asking in an ordinary tab would open a question in some browsers; an installed app is asked for nothing.
    if (matchMedia("(display-mode: standalone)").matches) await navigator.storage?.persist?.();
    return "kept";
  } catch {
    return "absent";
  }
}

function offerRestart(registration: ServiceWorkerRegistration): void {
  const { waiting } = registration;
  if (!waiting || !navigator.serviceWorker.controller) return;
  const button = element<HTMLButtonElement>("restart");
  button.hidden = false;
  button.onclick = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("take over");
  };
}
