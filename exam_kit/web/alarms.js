// The bar nobody can overlook, its clock and its sound. Part of the served document: no page has to work for it.
(() => {
  const BEAT_MS = 1000, SILENT_MS = 6000
  let told = null, answered = performance.now(), offset = 0, drawn = "", hushed = false
  let audio = null, buffer = null, playing = null
  const bar = document.createElement("div")
  bar.id = "ek-alarms"
  // Beside the body, not in it: a dialog makes everything else in the body unreachable.
  document.documentElement.append(bar)

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "")
  const span = ms => {
    const s = Math.max(0, Math.floor(ms / 1000)), h = Math.floor(s / 3600), two = n => String(n).padStart(2, "0")
    return (h ? h + ":" + two(Math.floor(s % 3600 / 60)) : Math.floor(s / 60)) + ":" + two(s % 60)
  }
  const node = (tag, name, text) => {
    const made = document.createElement(tag)
    if (name) made.className = name
    if (text !== undefined) made.textContent = text
    return made
  }

  // The sound. Browsers keep a page silent until somebody has touched it; the first key or click lifts that.
  const heard = () => audio !== null && audio.state === "running"
  const ready = () => {
    if (!audio) audio = new AudioContext()
    if (!buffer) buffer = fetch("/live/alarm.wav").then(r => r.arrayBuffer()).then(d => audio.decodeAudioData(d))
    return buffer
  }
  const play = times => ready().then(data => {
    if (playing) return
    playing = audio.createBufferSource()
    playing.buffer = data
    playing.loop = times !== 1
    playing.onended = () => { playing = null }
    playing.connect(audio.destination)
    playing.start()
  })
  const hush = () => { if (playing && playing.loop) { playing.stop(); playing = null } }
  const wake = () => { ready(); audio.resume().then(sound) }
  for (const act of ["pointerdown", "keydown"]) document.addEventListener(act, () => { if (!heard()) wake() }, true)
  document.addEventListener("click", event => {
    if (event.target.closest?.("[data-sound]")) { wake(); play(1) }
  })

  const lost = () => performance.now() - answered > SILENT_MS
  const loud = () => lost() ? !hushed : Boolean(told && told.loud)
  function sound() {
    if (loud() && heard()) play()
    else if (!loud()) hush()
    document.documentElement.dataset.alarm = loud() ? (heard() ? "sounding" : "unheard") : "quiet"
    const button = document.querySelector("[data-sound]")
    if (button && told) {
      const text = told.words[heard() ? "sound_on" : "sound_off"]
      if (button.textContent !== text) button.textContent = text
      button.dataset.sound = heard() ? "on" : "off"
    }
  }

  function row(alarm) {
    const line = node("div", "ek-alarm")
    line.append(node("span", "ek-alarm-mark"))
    const said = node("div", "ek-alarm-text")
    const what = node("b", "", alarm.what)
    what.setAttribute("role", "alert")
    said.append(what, node("small", "", alarm.way_out))
    const sheets = alarm.incidents ?? []
    for (const sheet of sheets) if (sheet.which) said.append(node("small", "ek-alarm-which", sheet.which))
    const side = node("div", "ek-alarm-side")
    for (const sheet of sheets) {
      const name = fill(told.words.incident, sheet)
      const link = node("a", "", sheet.count ? `${name} · ${sheet.count}` : name)
      link.href = `/incidents?sheet=${sheet.year}-${sheet.number}`
      side.append(link)
    }
    if (alarm.seen) side.append(node("small", "", fill(told.words.seen, alarm.seen)))
    if (alarm.clock) {
      const clock = node("div", "ek-alarm-clock")
      clock.setAttribute("role", "timer")
      clock.append(node("strong"), node("small"))
      clock.clock = alarm.clock
      line.append(said, side, clock)
    } else line.append(said, side)
    return line
  }

  function draw() {
    const alarms = lost()
      ? [{what: told ? told.words.lost : "Exam Kit: —", way_out: told ? told.words.lost_way : ""}]
      : told ? told.alarms : []
    const key = JSON.stringify([alarms, loud(), heard(), told && told.may_see, told && told.words.see])
    if (key !== drawn) {
      drawn = key
      const focused = document.activeElement?.dataset?.see !== undefined
      bar.replaceChildren(...alarms.map(row))
      if (alarms.length && loud()) {
        const acts = node("div", "ek-alarm-acts")
        if (!heard()) acts.append(node("span", "", told ? told.words.unheard : ""))
        if (told && (told.may_see || lost())) {
          const see = node("button", "", told.words.see)
          see.type = "button"
          see.dataset.see = ""
          see.onclick = lost() ? () => { hushed = true; beat(false) } : seen
          acts.append(see)
          if (focused) setTimeout(() => see.focus())
        }
        bar.append(acts)
      }
    }
    for (const clock of bar.querySelectorAll(".ek-alarm-clock")) tick(clock)
    document.documentElement.style.setProperty("--ek-alarm-h", `${bar.offsetHeight}px`)
  }

  function tick(place) {
    const clock = place.clock, now = Date.now() + offset
    const over = clock.limit_ms !== null && now >= clock.limit_ms
    place.classList.toggle("over", over)
    place.firstChild.textContent = span(now - clock.since_ms) + " "
    const next = clock.marks.find(mark => mark.at_ms > now)
    const parts = []
    if (over) parts.push(fill(told.words.over, {limit: clock.limit_min}))
    else if (clock.limit_min) parts.push(fill(told.words.of, {limit: clock.limit_min}))
    if (!over && next) parts.push(fill(told.words.next, {time: span(next.at_ms - now), label: next.label}))
    place.lastChild.textContent = parts.join(" · ")
  }

  function seen() {
    fetch("/live/alarms", {method: "POST"}).then(take).then(() => { draw(); sound() }).catch(() => {})
  }

  async function take(reply) {
    if (reply.status === 401) return leave()
    if (!reply.ok) throw new Error(reply.status)
    told = await reply.json()
    answered = performance.now()
    hushed = false
    offset = told.now_ms - Date.now()
    for (const place of document.querySelectorAll("[data-clock]")) {
      if (place.textContent !== told.time) place.textContent = told.time
    }
  }

  let gone = false
  function leave() {
    // The session has ended: what this page showed is shown to nobody any more.
    gone = true
    hush()
    const words = told ? told.words : {out: "Exam Kit", in: "→"}
    const said = node("div", "ek-gone"), link = node("a", "", words.in)
    link.href = "/signin"
    said.append(node("h1", "", words.out), link)
    document.documentElement.append(said)
  }

  async function beat(again = true) {
    if (gone) return
    try {
      const reply = await fetch("/live/alarms", {signal: AbortSignal.timeout(SILENT_MS)})
      await take(reply)
    } catch { /* said by the bar once it has lasted */ }
    if (gone) return
    draw()
    sound()
    if (again) setTimeout(beat, BEAT_MS)
  }
  ready().catch(() => { buffer = null })
  beat()
  setInterval(() => { if (!gone) { draw(); sound() } }, 500)
})()
