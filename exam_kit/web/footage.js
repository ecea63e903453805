// The day's footage: a bar per camera, and a click or Enter at any second plays that second.
(() => {
  const BEAT_MS = 10000, ZOOMS = [["day", 0], ["hour", 3600000], ["minutes", 600000]]
  let data = null, view = null, at = null, lane = 0, beaten = 0, playing = null, followed = false
  const place = () => document.querySelector("[data-footage]")
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "")
  const node = (tag, name, text) => {
    const made = document.createElement(tag)
    if (name) made.className = name
    if (text !== undefined) made.textContent = text
    return made
  }
  const clamp = (low, x, high) => Math.max(low, Math.min(high, x))
  const clock = (ms, seconds = true) => new Intl.DateTimeFormat("ru", {timeZone: data.zone, hour: "2-digit",
    minute: "2-digit", ...(seconds ? {second: "2-digit"} : {})}).format(ms)
  const lasts = ms => {
    const s = Math.round(ms / 1000), two = n => String(n).padStart(2, "0")
    return `${Math.floor(s / 3600)}:${two(Math.floor(s % 3600 / 60))}:${two(s % 60)}`
  }
  const whole = () => [data.start_ms, data.end_ms]
  const span = () => view[1] - view[0]
  const percent = ms => 100 * (ms - view[0]) / span()

  function build(root) {
    root.replaceChildren()
    const head = node("div", "ek-tl-head"), zooms = node("div", "ek-tl-zoom")
    for (const [name, ms] of ZOOMS) {
      const button = node("button", "", data.words[name])
      button.type = "button"
      button.dataset.zoom = ms
      zooms.append(button)
    }
    head.append(zooms, node("output", "ek-tl-said"))
    const player = node("div", "ek-tl-player")
    player.hidden = true
    const lanes = node("div", "ek-tl")
    lanes.classList.toggle("small", data.cameras.length > 12)
    data.cameras.forEach((camera, n) => {
      const row = node("div", "ek-tl-row"), name = node("span", "ek-tl-name")
      name.append(node("b", "", camera.id), node("small"))
      name.title = camera.place
      const bar = node("div", "ek-bar")
      bar.setAttribute("role", "slider")
      bar.setAttribute("aria-label", fill(data.words.timeline, {camera: `${camera.id}, ${camera.place}`}))
      bar.dataset.lane = n
      bar.dataset.camera = camera.id
      row.append(name, bar)
      lanes.append(row)
    })
    const scale = node("div", "ek-tl-row")
    scale.append(node("span"), node("div", "ek-ticks"))
    lanes.append(scale)
    const legend = node("div", "ek-legend")
    for (const [kind, text] of Object.entries(data.kinds)) {
      const entry = node("span"), box = node("span", "ek-bar")
      box.append(node("i", kind))
      entry.append(box, text)
      legend.append(entry)
    }
    const list = node("details", "ek-gaps")
    list.append(node("summary"), node("table", "ek-table"))
    root.append(head, player, lanes, legend, node("p", "ek-note", data.words.keys), list)
    root.dataset.built = data.cameras.map(camera => camera.id).join()
  }

  function draw() {
    const root = place()
    if (!root || !data) return
    data.cameras.forEach((camera, n) => {
      const bar = root.querySelector(`[data-lane="${n}"]`), parts = []
      const put = (from, to, kind, title) => {
        if (to <= view[0] || from >= view[1]) return
        const piece = node("i", kind)
        const left = Math.max(0, percent(from)), right = Math.min(100, percent(to))
        piece.style.left = `${left}%`
        piece.style.width = `${right - left}%`
        if (title) piece.title = title
        parts.push(piece)
      }
      for (const [from, to, kind, cause] of [...camera.spans, ...camera.over]) {
        put(from, to, kind, `${clock(from)}–${clock(to)} ${data.kinds[kind]}${cause ? ": " + cause : ""}`)
      }
      for (const edge of data.exam) if (edge > view[0] && edge < view[1]) put(edge, edge + 1, "edge", data.words.exam)
      put(data.now_ms, data.now_ms + 1, "now", data.kinds.now)
      const cursor = node("i", "cursor")
      cursor.style.left = `${clamp(0, percent(at), 100)}%`
      if (n === lane) parts.push(cursor)
      bar.replaceChildren(...parts)
      bar.tabIndex = n === lane ? 0 : -1
      bar.setAttribute("aria-valuemin", Math.round(view[0] / 1000))
      bar.setAttribute("aria-valuemax", Math.round(view[1] / 1000))
      bar.setAttribute("aria-valuenow", Math.round(at / 1000))
      bar.setAttribute("aria-valuetext", said(n))
      bar.closest(".ek-tl-row").classList.toggle("on", n === lane)
      const note = bar.closest(".ek-tl-row").querySelector("small")
      note.textContent = camera.gap_s >= 1 ? fill(data.words.gaps, {span: lasts(camera.gap_s * 1000)}) : ""
    })
    const ticks = root.querySelector(".ek-ticks")
    ticks.replaceChildren(...marks())
    for (const button of root.querySelectorAll("[data-zoom]")) {
      const ms = Number(button.dataset.zoom) || data.end_ms - data.start_ms
      button.setAttribute("aria-pressed", Math.abs(ms - span()) < 1000)
    }
    root.querySelector(".ek-tl-said").textContent = said(lane)
  }

  // Every gap in words, for whoever reads the page aloud or writes it down.
  function list() {
    const root = place(), found = data.cameras.flatMap((camera, n) =>
      camera.spans.filter(one => one[2] === "gap").map(one => [n, camera.id, ...one]))
    root.querySelector(".ek-gaps").hidden = !found.length
    root.querySelector("summary").textContent = fill(data.words.list, {count: found.length})
    const rows = found.slice(0, 200).map(([n, camera, from, to, _kind, cause]) => {
      const row = node("tr")
      row.append(...[camera, `${clock(from)}–${clock(to)}`, lasts(to - from), cause].map(text => node("td", "nb", text)))
      row.onclick = () => { lane = n; move(from) }
      return row
    })
    const head = node("tr")
    head.append(...["camera", "gap", "length", "cause"].map(name => node("th", "", data.words[name])))
    root.querySelector(".ek-gaps table").replaceChildren(head, ...rows)
  }

  function marks() {
    const steps = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400].map(s => s * 1000)
    const step = steps.find(one => span() / one <= 10) ?? steps.at(-1), made = []
    // Local hours: the zone's offset counts, for some zones differ by half an hour.
    const shift = offset(view[0])
    for (let t = Math.ceil((view[0] + shift) / step) * step - shift; t <= view[1]; t += step) {
      if (percent(t) < 2 || percent(t) > 98) continue
      const mark = node("span", "", clock(t, step < 60000))
      mark.style.left = `${percent(t)}%`
      made.push(mark)
    }
    return made
  }
  const offset = ms => {
    const part = new Intl.DateTimeFormat("en", {timeZone: data.zone, timeZoneName: "longOffset"}).formatToParts(ms)
    const text = part.find(one => one.type === "timeZoneName").value.match(/([+-])(\d+):(\d+)/)
    return text ? (text[1] === "-" ? -1 : 1) * (Number(text[2]) * 60 + Number(text[3])) * 60000 : 0
  }

  function said(n) {
    const camera = data.cameras[n]
    const here = one => one[0] <= at && at < one[1]
    const over = camera.over.find(here), under = camera.spans.find(here), one = over ?? under
    const what = one ? data.kinds[one[2]] + (one[3] ? ": " + one[3] : "") : ""
    return [camera.id, clock(at), what].filter(Boolean).join(" · ")
  }

  function zoom(ms, around = at) {
    const [first, last] = whole(), wide = clamp(60000, ms || last - first, last - first)
    const from = clamp(first, around - wide / 2, last - wide)
    view = [from, from + wide]
    draw()
  }
  function move(to) {
    at = clamp(data.start_ms, to, data.end_ms - 1)
    if (at < view[0] || at > view[1]) zoom(span())
    else draw()
  }

  // Playing: the file that holds the second, from that second; the next file follows by itself.
  async function play(n, ms, note = "") {
    const root = place(), camera = data.cameras[n].id
    lane = n
    move(ms)
    const reply = await fetch(`/live/footage?day=${root.dataset.footage}&camera=${encodeURIComponent(camera)}`)
    if (!reply.ok) return
    const {files} = await reply.json()
    const holds = files.findIndex(([_id, from, to]) => from <= ms && ms < (to ?? data.now_ms + 60000))
    const next = holds >= 0 ? holds : files.findIndex(([_id, from]) => from > ms)
    open()
    if (next < 0) return tell(note || fill(data.words.none_here, {time: clock(ms)}) + " " + data.words.over)
    if (holds < 0) note = fill(data.words.skipped, {time: clock(ms), next: clock(files[next][1])})
    show(camera, n, files, next, holds < 0 ? 0 : (ms - files[next][1]) / 1000, note)
  }

  function open() {
    const player = place().querySelector(".ek-tl-player")
    if (player.querySelector("video")) { player.hidden = false; return player }
    const video = node("video"), side = node("div", "ek-tl-side"), close = node("button", "", data.words.close)
    video.controls = true
    video.tabIndex = 0
    close.type = "button"
    close.onclick = shut
    side.append(node("b"), node("p", "ek-note"), node("a"), close)
    player.append(video, side)
    player.hidden = false
    video.addEventListener("timeupdate", () => {
      if (!playing || video.readyState < 1) return
      at = playing.from + video.currentTime * 1000
      player.querySelector("b").textContent = `${playing.camera} · ${clock(at)}`
      if (at > view[1]) zoom(span()); else draw()
    })
    video.addEventListener("ended", () => playing && follow())
    video.addEventListener("error", () => playing && tell(unfit()))
    return player
  }
  // What another recorder left keeps its own kind, and a browser knows two of them.
  const unfit = () => /\.(mp4|mov)$/.test(playing.files[playing.index][3]) ? data.words.broken : data.words.player
  const tell = text => { place().querySelector(".ek-tl-player .ek-note").textContent = text }

  function show(camera, n, files, index, second, note) {
    const [id, from, to, name] = files[index], player = open(), video = player.querySelector("video")
    playing = {camera, n, files, index, from, to}
    tell(note || (to ? "" : data.words.live))
    const save = player.querySelector("a")
    save.href = `/recordings/${id}.mp4`
    save.download = name
    save.textContent = data.words.save
    save.title = name
    video.dataset.recording = id
    const seek = () => { if (second > 0) video.currentTime = second; video.play().catch(() => {}) }
    if (video.dataset.loaded === String(id) && to && video.readyState >= 1) { seek(); return }
    video.dataset.loaded = id
    video.src = `/recordings/${id}.mp4`
    video.addEventListener("loadedmetadata", seek, {once: true})
  }

  function follow() {
    const {camera, n, files, index, to} = playing, next = files[index + 1]
    if (next) {
      const hole = to && next[1] - to > 1000
      const note = hole ? fill(data.words.skipped, {time: clock(to), next: clock(next[1])}) : ""
      show(camera, n, files, index + 1, 0, note)
    } else if (!followed) {
      // The list may be old: what was recorded meanwhile goes on.
      followed = true
      play(n, (to ?? at) + 500).finally(() => { followed = false })
    } else tell(data.words.over)
  }

  function shut() {
    const root = place(), player = root?.querySelector(".ek-tl-player")
    if (!player || player.hidden) return
    playing = null
    player.hidden = true
    player.replaceChildren()
    root.querySelector(`[data-lane="${lane}"]`).focus()
  }

  const second = (bar, event) => {
    const box = bar.getBoundingClientRect()
    return view[0] + clamp(0, (event.clientX - box.left) / box.width, 1) * span()
  }
  document.addEventListener("click", event => {
    if (!data || !place()) return
    const bar = event.target.closest?.("[data-lane]"), button = event.target.closest?.("[data-zoom]")
    if (bar) { bar.focus(); play(Number(bar.dataset.lane), second(bar, event)) }
    else if (button) zoom(Number(button.dataset.zoom))
  })
  document.addEventListener("wheel", event => {
    const bar = event.target.closest?.("[data-lane]")
    if (!bar || !event.ctrlKey) return
    event.preventDefault()
    zoom(span() * (event.deltaY < 0 ? 0.5 : 2), second(bar, event))
  }, {passive: false})
  document.addEventListener("keydown", event => {
    if (!data || !place()) return
    if (event.key === "Escape") return shut()
    const bar = document.activeElement?.closest?.("[data-lane]")
    if (!bar || event.altKey || event.metaKey) return
    const step = Math.max(1000, Math.round(span() / 240 / 1000) * 1000) * (event.shiftKey ? 10 : 1)
    const gaps = data.cameras[lane].spans.filter(one => one[2] === "gap")
    const to = n => { lane = clamp(0, n, data.cameras.length - 1); draw(); place().querySelector(`[data-lane="${lane}"]`).focus() }
    const acts = {
      ArrowLeft: () => move(at - step), ArrowRight: () => move(at + step),
      ArrowUp: () => to(lane - 1), ArrowDown: () => to(lane + 1),
      ",": () => move(at - 1000), ".": () => move(at + 1000),
      Home: () => move(view[0]), End: () => move(view[1] - 1000),
      PageDown: () => { const next = gaps.find(one => one[0] > at + 1000); if (next) move(next[0]) },
      PageUp: () => { const last = gaps.findLast(one => one[0] < at - 1000); if (last) move(last[0]) },
      Enter: () => play(lane, at), " ": () => play(lane, at),
      "+": () => zoom(span() / 2), "=": () => zoom(span() / 2), "-": () => zoom(span() * 2),
    }
    if (!acts[event.key]) return
    event.preventDefault()
    acts[event.key]()
  })

  async function beat() {
    const root = place()
    if (!root || document.hidden) return
    beaten = performance.now()
    const day = root.dataset.footage
    const reply = await fetch(`/live/coverage?day=${day}`, {signal: AbortSignal.timeout(8000)}).catch(() => null)
    if (!reply?.ok || place()?.dataset.footage !== day) return
    data = await reply.json()
    if (!view || root.dataset.shown !== day) {
      view = whole()
      at = clamp(data.start_ms, Math.min(data.exam[0], data.now_ms - 60000), data.end_ms)
      lane = 0
      root.dataset.shown = day
    }
    if (root.dataset.built !== data.cameras.map(camera => camera.id).join() || root.dataset.words !== data.words.keys) {
      root.dataset.words = data.words.keys
      build(root)
    }
    list()
    draw()
  }
  setInterval(() => { if (place() && performance.now() - beaten > BEAT_MS) beat() }, 1000)
  new MutationObserver(() => {
    const root = place()
    if (root && !root.dataset.built && performance.now() - beaten > 800) beat()
  }).observe(document, {childList: true, subtree: true})
})()
