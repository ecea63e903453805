// The wall of live pictures: renews those that changed once a second, and enlarges one.
(() => {
  const BEAT_MS = 1000, GAP = 8, WIDE = 16 / 9
  let stamps = [], big = null, head = null, taken = 0, busy = false
  const shapes = new Map()
  const wall = () => document.querySelector("[data-wall]")
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "")
  const put = (place, text) => { if (place.textContent !== text) place.textContent = text }

  function build(place) {
    place.replaceChildren()
    shapes.clear()
    stamps = []
    for (const tile of head.tiles) {
      const made = document.createElement("button")
      made.type = "button"
      made.className = "ek-shot"
      made.dataset.camera = tile.id
      made.innerHTML = `<span class="ek-pic"><img alt=""><i class="none"></i><i class="age"></i></span>` +
        `<span class="ek-cap"><b></b><span class="state"><i class="ek-mark"></i><span></span></span><small></small></span>`
      place.append(made)
      shapes.set(tile.id, {made, img: made.querySelector("img"), age: made.querySelector(".age"), made_ms: null,
        none: made.querySelector(".none"), name: made.querySelector("b"), mark: made.querySelector(".ek-mark"),
        state: made.querySelector(".state span"), notes: made.querySelector("small")})
    }
    enlarge(big)
    place.dataset.built = head.tiles.map(tile => tile.id).join()
    lay()
  }

  // As few columns as show every camera without scrolling; when none does, as many as stay readable.
  function lay() {
    const place = wall()
    if (!place || !head) return
    const count = head.tiles.length, width = place.clientWidth
    const height = Math.max(300, innerHeight - place.getBoundingClientRect().top - scrolled(place) - 14)
    const small = count > 12
    place.classList.toggle("small", small)
    const caption = small ? 38 : 66
    let columns = 1
    for (; columns < count; columns++) {
      const each = (width - GAP * (columns - 1)) / columns
      if (Math.ceil(count / columns) * (each / WIDE + caption + GAP) - GAP <= height) break
    }
    const rows = Math.ceil(count / columns)
    const tallest = (height - GAP * (rows - 1)) / rows - caption
    place.style.setProperty("--columns", columns)
    place.style.setProperty("--tile", `${Math.floor(Math.min((width - GAP * (columns - 1)) / columns, tallest * WIDE))}px`)
    place.style.setProperty("--big", `${Math.floor(Math.min(width, (height - 44) * WIDE))}px`)
  }
  const scrolled = place => -(place.closest("[data-testid=stMain]")?.scrollTop ?? 0)

  function ages() {
    if (!head) return
    const passed = (performance.now() - taken) / 1000
    for (const tile of head.tiles) {
      const shape = shapes.get(tile.id)
      if (!shape) continue
      const has = tile.age_s !== null && shape.img.hasAttribute("src")
      const age = has ? Math.round(tile.age_s + passed) : null
      const old = has && tile.age_s + passed > head.fresh_s
      const seconds = String(age % 60).padStart(2, "0")
      const span = age < 120 ? fill(head.words.age, {seconds: age})
        : fill(head.words.minutes, {minutes: Math.floor(age / 60), seconds})
      shape.made.dataset.picture = !has ? "none" : old ? "old" : "live"
      put(shape.none, has ? "" : head.words.none)
      put(shape.age, !has ? "" : old ? fill(head.words.old, {span}) : fill(head.words.age, {seconds: age}))
    }
  }

  function show(blobs) {
    const place = wall()
    if (!place) return
    if (place.dataset.built !== head.tiles.map(tile => tile.id).join() || !shapes.size ||
        !place.contains(shapes.values().next().value.made)) build(place)
    for (const tile of head.tiles) {
      const shape = shapes.get(tile.id), data = shape.made.dataset
      const brief = place.classList.contains("small") && tile.id !== big
      put(shape.name, `${tile.id} · ${brief ? tile.code : tile.place}`)
      put(shape.state, brief ? tile.short : [tile.label, tile.state === "recording" ? "" : tile.since].filter(Boolean).join(" · "))
      put(shape.notes, [tile.ill, tile.notes].filter(Boolean).join(" · "))
      shape.mark.className = `ek-mark ${tile.missing ? "bad" : tile.ill ? "warn" : tile.tone}`
      data.state = tile.state
      data.missing = tile.missing ? "yes" : "no"
      data.ill = tile.ill ? "yes" : "no"
      shape.made.title = [tile.id, tile.place, tile.label, tile.ill, tile.notes].filter(Boolean).join(" · ")
      if (!tile.stamp) { if (shape.img.src) { URL.revokeObjectURL(shape.img.src); shape.img.removeAttribute("src") } }
      const blob = blobs.get(tile.id)
      if (blob) {
        const old = shape.img.src
        shape.img.src = URL.createObjectURL(blob)
        if (old) shape.img.addEventListener("load", () => URL.revokeObjectURL(old), {once: true})
      }
    }
    stamps = head.tiles.map(tile => tile.stamp)
    ages()
  }

  function enlarge(camera, focus = false) {
    const place = wall()
    if (!place) return
    const was = big
    big = camera && shapes.has(camera) ? camera : null
    if (was !== big && head) show(new Map())
    place.classList.toggle("one", big !== null)
    put(document.querySelector("[data-wall-back]") ?? document.createElement("i"), big && head ? head.words.close : "")
    for (const [id, shape] of shapes) {
      shape.made.classList.toggle("big", id === big)
      shape.made.setAttribute("aria-pressed", id === big)
    }
    if (focus && camera) shapes.get(camera)?.made.focus()
  }

  async function beat() {
    const place = wall()
    if (!place || document.hidden || busy) return
    busy = true
    try {
      if (!place.querySelector(".ek-shot")) stamps = []
      const reply = await fetch(`/live/wall?have=${stamps.join(".")}`, {signal: AbortSignal.timeout(8000)})
      if (!reply.ok) throw new Error(reply.status)
      const data = new Uint8Array(await reply.arrayBuffer()), end = data.indexOf(10)
      head = JSON.parse(new TextDecoder().decode(data.subarray(0, end)))
      taken = performance.now()
      let at = end + 1
      const blobs = new Map()
      for (const tile of head.tiles) {
        if (tile.bytes) blobs.set(tile.id, new Blob([data.subarray(at, at + tile.bytes)], {type: "image/jpeg"}))
        at += tile.bytes
      }
      show(blobs)
      if (place.dataset.size !== size()) { place.dataset.size = size(); lay() }
    } catch { ages() } finally { busy = false }
  }
  const size = () => `${innerWidth}×${innerHeight}×${getComputedStyle(document.documentElement).getPropertyValue("--ek-alarm-h")}`

  document.addEventListener("click", event => {
    const shot = event.target.closest?.(".ek-shot")
    if (shot) enlarge(big === shot.dataset.camera ? null : shot.dataset.camera)
    else if (event.target.closest?.("[data-wall-back]")) enlarge(null)
  })
  document.addEventListener("keydown", event => {
    const place = wall()
    if (!place) return
    if (event.key === "Escape" && big !== null) { const was = big; enlarge(null); shapes.get(was)?.made.focus(); return }
    const shot = document.activeElement?.closest?.(".ek-shot")
    if (!shot) return
    const ids = [...shapes.keys()], at = ids.indexOf(shot.dataset.camera)
    const columns = Number(place.style.getPropertyValue("--columns")) || 1
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: ids.length - 1 - at}
    if (!(event.key in step)) return
    event.preventDefault()
    const next = ids[Math.max(0, Math.min(ids.length - 1, at + step[event.key]))]
    if (big !== null) enlarge(next, true)
    else shapes.get(next).made.focus()
  })
  addEventListener("resize", lay)
  setInterval(() => { beat(); if (wall()) ages() }, BEAT_MS)
  new MutationObserver(() => { if (wall() && !wall().querySelector(".ek-shot")) beat() })
    .observe(document, {childList: true, subtree: true})
})()
