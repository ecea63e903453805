// The keyboard goes on by itself: where the page offers one next step ([data-next] names its key), whoever came by
// keyboard stands there, and Enter does it. Nothing moves for a mouse, nor for somebody who went elsewhere to type.
// What a click below brought about above ([data-shown]: what, and of which order) is brought into sight for everybody.
(() => {
  const READY = ".stApp[data-test-script-state=notRunning]"
  let seen = "", from = "", byKey = false, shown = null

  addEventListener("keydown", () => { byKey = true }, true)
  addEventListener("pointerdown", () => { byKey = false }, true)

  function free() {
    const at = document.activeElement
    return !at || at === document.body || at.closest("[data-testid=stSidebar]") || (from && at.closest(from))
  }

  function show() {
    const mark = document.querySelector("[data-shown]")
    const now = mark ? mark.dataset.shown : ""
    if (now === shown || !document.querySelector(READY)) return
    if (now && shown !== null) mark.closest("[data-testid=stVerticalBlock]").scrollIntoView({block: "nearest"})
    shown = now
  }

  function look() {
    show()
    const mark = document.querySelector("[data-next]:not([data-next=''])")
    const next = mark ? mark.dataset.next : ""
    // Only once the page is drawn to its end: what stands there before may be about to be replaced.
    if (next === seen || !document.querySelector(READY)) return
    const place = next && `.st-key-${CSS.escape(next)}`
    const target = next && document.querySelector(`${place} :is(a[href], input, button):not(:disabled)`)
    if (next && !target) return
    seen = next
    if (!target || !byKey || !free()) return
    from = place
    target.focus()
  }

  new MutationObserver(look).observe(document.documentElement, {childList: true, subtree: true, attributes: true,
    attributeFilter: ["data-next", "data-shown", "data-test-script-state", "disabled"]})
})()
