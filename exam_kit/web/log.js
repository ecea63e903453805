// The access log by keyboard: a preset that filled the form puts the cursor into its rooms, where Enter writes the line.
(() => {
  const READY = ".stApp[data-test-script-state=notRunning]"
  let seen = null, waiting = false, sent = false

  const rooms = () => document.querySelector(".st-key-log-form input[type=text]")

  function look() {
    const mark = document.querySelector("[data-log-focus]")
    const count = mark ? mark.dataset.logFocus : null
    if (count !== seen) {
      // The page that is opened anew takes no cursor by itself.
      waiting = seen !== null && count !== null && count !== "0"
      seen = count
    }
    if (!waiting && !sent) return
    // Only once the form is drawn to its end: Enter before that would send what stood there until now.
    if (!document.querySelector(READY)) return
    const refused = sent && document.querySelector(".st-key-log-form [data-testid=stAlertContentError]")
    const field = rooms()
    if (field && (waiting || refused)) {
      field.focus()
      field.select()
    }
    waiting = false
    if (refused) sent = false
  }

  new MutationObserver(look).observe(document.documentElement, {childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-log-focus", "data-test-script-state", "value"]})

  document.addEventListener("keydown", event => {
    const field = event.target
    if (!(field instanceof HTMLInputElement) || !field.closest(".st-key-log-form")) {
      sent = false
      return
    }
    // What was written leaves the field, and Escape does too: then the keys 1–9 are presets again.
    if (event.key === "Enter" || event.key === "Escape") {
      sent = event.key === "Enter"
      setTimeout(() => field.blur(), 0)
    }
  })
})()
