// The access log by keyboard: a preset that filled the form puts the cursor into its rooms, where Enter writes the line.
(() => {
  let seen = null

  // Only once the filled form is drawn: Enter before that would send what stood there until now.
  function look() {
    const mark = document.querySelector("[data-log-focus]")
    const count = mark ? mark.dataset.logFocus : null
    if (count === seen) return
    const first = seen === null || count === null
    seen = count
    if (first) return
    const field = document.querySelector(".st-key-log-form input[type=text]")
    if (field) { field.focus(); field.select() }
  }

  new MutationObserver(look).observe(document.documentElement, {childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-log-focus"]})

  // Escape leaves a field, so that the keys 1–9 are presets again.
  document.addEventListener("keydown", event => {
    const field = event.target
    if (event.key === "Escape" && field instanceof HTMLInputElement && field.closest(".st-key-log-form")) field.blur()
  })
})()
