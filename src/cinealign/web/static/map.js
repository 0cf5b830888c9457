// The map: points written into the pixels of a canvas, so that 100,000 items move as smoothly as 100.
const box = document.getElementById("map")
const canvas = document.getElementById("canvas")
const context = canvas.getContext("2d", { alpha: false })
const state = document.getElementById("state")
const tip = document.getElementById("tip")
const legend = document.getElementById("legend")
const HUES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#8a9a00", "#b03a48", "#00808a"]
const RAMP = ["#31348b", "#2d6aa8", "#2f9aa0", "#5fb678", "#b5b24a", "#e39a3b", "#d8653a", "#b0323f"]
const FEW = { train: "#8a8a86", held_out: "#d55e00", added: "#0072b2", none: "#d55e00", one: "#b8860b", both: "#0072b2" }
const CELLS = 200 // of the grid in which the point under the pointer is looked up
const CROWD = 60000 // points in view from which on each is a dot of 2 x 2 pixels
const LINES = 20000 // partners up to which all lines are drawn
const words = Object.fromEntries(box.dataset.words.split(";").filter(Boolean).map((pair) => pair.split("=")))

let points = null // typed columns, see `prepare`
let view = { x: 0.5, y: 0.5, scale: 1 } // middle, and how many times larger than the whole
let size = { w: 0, h: 0, ratio: 1 }
let lasso = null // corners while it is drawn
let hover = -1
let bright = null // the value that the legend points at
let dirty = false
let image = null
let pixels = null // those of `image`, one number each

// -- data --------------------------------------------------------------------------------------------------------------

async function load() {
  for (;;) {
    const answer = await fetch(box.dataset.src)
    const told = await answer.json()
    if (!answer.ok) return say(told.error.message)
    if (told.state === "ready") return prepare(told)
    say(`${box.dataset.drawing} ${Math.round(100 * told.progress)} %`)
    await new Promise((done) => setTimeout(done, 1500))
  }
}

function say(text) {
  state.textContent = text
}

function prepare(told) {
  const n = told.x.length
  points = { n, x: Float32Array.from(told.x), y: Float32Array.from(told.y), side: Uint8Array.from(told.side) }
  points.item = Uint32Array.from(told.item)
  points.seen = new Uint32Array(n) // places of those in view, while they are painted
  points.items = told.items
  points.partner = new Int32Array(n).fill(-1)
  const seen = new Map()
  for (let i = 0; i < n; i++) {
    const other = seen.get(points.item[i])
    if (other === undefined) seen.set(points.item[i], i)
    else {
      points.partner[i] = other
      points.partner[other] = i
    }
  }
  points.grid = Array.from({ length: CELLS * CELLS }, () => [])
  for (let i = 0; i < n; i++) points.grid[cell(points.x[i]) + CELLS * cell(points.y[i])].push(i)
  say("")
  colour(box.dataset.colour)
  resize()
}

const cell = (at) => Math.max(0, Math.min(CELLS - 1, Math.floor(at * CELLS)))

// -- colours -----------------------------------------------------------------------------------------------------------

function colour(name) {
  const values = points.items[name] ?? []
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const order = [...counts.keys()].filter((value) => value !== "")
  order.sort(name === "decade" ? undefined : (a, b) => counts.get(b) - counts.get(a))
  const known = new Map()
  order.forEach((value, at) => {
    let hex = HUES[at]
    if (name === "decade") hex = RAMP[Math.round((at / Math.max(1, order.length - 1)) * (RAMP.length - 1))]
    if (name === "split" || name === "found") hex = FEW[value]
    known.set(value, hex ?? "#9a9a94")
  })
  points.colours = new Uint8Array(3 * points.n)
  points.value = values
  for (let i = 0; i < points.n; i++) {
    const hex = known.get(values[points.item[i]]) ?? "#9a9a94"
    for (let part = 0; part < 3; part++) points.colours[3 * i + part] = parseInt(hex.slice(1 + 2 * part, 3 + 2 * part), 16)
  }
  legend.replaceChildren(
    ...[...order, ...(counts.has("") ? [""] : [])].map((value) => legendEntry(name, value, known.get(value), counts.get(value))),
  )
  draw()
}

function legendEntry(name, value, hex, count) {
  const entry = document.createElement("li")
  const link = document.createElement("a")
  link.href = `/map?${new URLSearchParams({ colour: name, value })}#twin`
  link.textContent = value === "" ? box.dataset.unknown : (words[value] ?? value)
  const number = document.createElement("span")
  number.className = "value"
  number.textContent = count.toLocaleString("en")
  entry.style.setProperty("--swatch", hex ?? "#9a9a94")
  entry.append(link, " ", number)
  for (const [event, to] of [["pointerenter", value], ["focusin", value], ["pointerleave", null], ["focusout", null]]) {
    entry.addEventListener(event, () => {
      bright = to
      draw()
    })
  }
  return entry
}

// -- drawing -----------------------------------------------------------------------------------------------------------

function resize() {
  const ratio = Math.min(devicePixelRatio || 1, 2)
  const { clientWidth: w, clientHeight: h } = canvas
  size = { w: Math.round(w * ratio), h: Math.round(h * ratio), ratio }
  canvas.width = size.w
  canvas.height = size.h
  image = context.createImageData(Math.max(1, size.w), Math.max(1, size.h))
  pixels = new Uint32Array(image.data.buffer)
  context.fillStyle = getComputedStyle(box).backgroundColor // what is seen until there are points
  context.fillRect(0, 0, size.w, size.h)
  draw()
}

const unit = () => Math.min(size.w, size.h) * 0.94 * view.scale
const toX = (x) => (x - view.x) * unit() + size.w / 2
const toY = (y) => (y - view.y) * unit() + size.h / 2

function draw() {
  if (dirty) return
  dirty = true
  requestAnimationFrame(() => {
    dirty = false
    if (points && image) paint()
  })
}

// A disc or a ring as the share of each pixel that it covers.
function stamp(radius, ring) {
  const reach = Math.ceil(radius + 0.5)
  const found = []
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const far = Math.hypot(dx, dy)
      let alpha = Math.max(0, Math.min(1, radius + 0.5 - far))
      if (ring) alpha *= Math.max(0, Math.min(1, far - radius + 2))
      if (alpha > 0.05) found.push(dx, dy, alpha)
    }
  }
  return found
}

function ground() {
  const [r, g, b] = getComputedStyle(box).backgroundColor.match(/[\d.]+/g).map(Number)
  return [r, g, b]
}

function paint() {
  const { w, h } = size
  const [r, g, b] = ground()
  pixels.fill((255 << 24) | (b << 16) | (g << 8) | r)
  const shown = [document.getElementById("show-poster").checked, document.getElementById("show-intro").checked]
  const k = unit()
  const ox = w / 2 - view.x * k
  const oy = h / 2 - view.y * k
  const { n, x, y, side, seen } = points
  let count = 0
  for (let i = 0; i < n; i++) {
    const px = x[i] * k + ox
    const py = y[i] * k + oy
    if (shown[side[i]] && px > -8 && py > -8 && px < w + 8 && py < h + 8) seen[count++] = i
  }
  const crowd = n > 30000 ? 1 : n > 3000 ? 1.6 : 2.6
  const radius = Math.min(7, crowd * Math.sqrt(view.scale)) * size.ratio
  if (count > CROWD) dots(count, k, ox, oy, [r, g, b])
  else {
    const stamps = [stamp(radius, false), stamp(Math.max(radius, 1.6), radius > 1.4)]
    for (let at = 0; at < count; at++) {
      const i = seen[at]
      put(image.data, stamps[side[i]], Math.round(x[i] * k + ox), Math.round(y[i] * k + oy), i, lit(i) ? 0.85 : 0.12)
    }
  }
  context.putImageData(image, 0, 0)
  context.lineWidth = size.ratio
  if (document.getElementById("show-lines").checked && n <= 2 * LINES) lines()
  if (hover >= 0) mark(hover, radius)
  if (lasso) outline()
}

const lit = (i) => bright === null || points.value[points.item[i]] === bright

// So many points that nobody can tell a ring from a disc: whole pixels, nothing mixed.
function dots(count, k, ox, oy, [r, g, b]) {
  const { w, h } = size
  const { x, y, seen, colours } = points
  const wide = size.ratio > 1 ? 3 : 2
  for (let at = 0; at < count; at++) {
    const i = seen[at]
    const px = Math.round(x[i] * k + ox)
    const py = Math.round(y[i] * k + oy)
    if (px < 0 || py < 0 || px > w - wide || py > h - wide) continue
    const strength = bright === null || lit(i) ? 1 : 0.12
    const red = r + (colours[3 * i] - r) * strength
    const green = g + (colours[3 * i + 1] - g) * strength
    const blue = b + (colours[3 * i + 2] - b) * strength
    const value = (255 << 24) | (blue << 16) | (green << 8) | red
    for (let row = py * w; row < (py + wide) * w; row += w) for (let column = px; column < px + wide; column++) pixels[row + column] = value
  }
}

function put(data, shape, px, py, i, strength) {
  const { w, h } = size
  const red = points.colours[3 * i]
  const green = points.colours[3 * i + 1]
  const blue = points.colours[3 * i + 2]
  for (let s = 0; s < shape.length; s += 3) {
    const x = px + shape[s]
    const y = py + shape[s + 1]
    if (x < 0 || y < 0 || x >= w || y >= h) continue
    const at = 4 * (y * w + x)
    const alpha = shape[s + 2] * strength
    data[at] += (red - data[at]) * alpha
    data[at + 1] += (green - data[at + 1]) * alpha
    data[at + 2] += (blue - data[at + 2]) * alpha
  }
}

function lines() {
  context.strokeStyle = getComputedStyle(box).color
  context.globalAlpha = 0.18
  context.beginPath()
  for (let i = 0; i < points.n; i++) if (points.partner[i] > i) line(i)
  context.stroke()
  context.globalAlpha = 1
}

function line(i) {
  const other = points.partner[i]
  context.moveTo(toX(points.x[i]), toY(points.y[i]))
  context.lineTo(toX(points.x[other]), toY(points.y[other]))
}

function mark(i, radius) {
  context.strokeStyle = getComputedStyle(box).color
  context.beginPath()
  if (points.partner[i] >= 0) line(i)
  for (const each of [i, points.partner[i]]) {
    if (each < 0) continue
    const far = radius + 3 * size.ratio
    context.moveTo(toX(points.x[each]) + far, toY(points.y[each]))
    context.arc(toX(points.x[each]), toY(points.y[each]), far, 0, 7)
  }
  context.stroke()
}

function outline() {
  context.strokeStyle = getComputedStyle(box).color
  context.beginPath()
  lasso.forEach(([x, y], at) => (at ? context.lineTo(toX(x), toY(y)) : context.moveTo(toX(x), toY(y))))
  context.closePath()
  context.stroke()
}

// -- pointing ----------------------------------------------------------------------------------------------------------

function place(event) {
  const at = canvas.getBoundingClientRect()
  const x = ((event.clientX - at.left) * size.ratio - size.w / 2) / unit() + view.x
  const y = ((event.clientY - at.top) * size.ratio - size.h / 2) / unit() + view.y
  return [x, y]
}

function nearest(x, y) {
  const reach = (10 * size.ratio) / unit()
  const shown = [document.getElementById("show-poster").checked, document.getElementById("show-intro").checked]
  let best = -1
  let least = reach
  for (let row = cell(y - reach); row <= cell(y + reach); row++) {
    for (let column = cell(x - reach); column <= cell(x + reach); column++) {
      for (const i of points.grid[column + CELLS * row]) {
        const far = Math.hypot(points.x[i] - x, points.y[i] - y)
        if (far < least && shown[points.side[i]]) [best, least] = [i, far]
      }
    }
  }
  return best
}

function zoom(by, [x, y] = [view.x, view.y]) {
  const scale = Math.max(0.5, Math.min(400, view.scale * by))
  const kept = view.scale / scale
  view = { x: x + (view.x - x) * kept, y: y + (view.y - y) * kept, scale }
  draw()
}

const down = new Map() // pointers that touch
let moved = 0
let apart = 0

canvas.addEventListener("pointerdown", (event) => {
  if (!points) return
  canvas.setPointerCapture(event.pointerId)
  down.set(event.pointerId, event)
  moved = 0
  if (event.shiftKey || lassoing()) lasso = [place(event)]
})
canvas.addEventListener("pointermove", (event) => {
  if (!points) return
  const before = down.get(event.pointerId)
  if (!before) return pointAt(event)
  down.set(event.pointerId, event)
  const dx = event.clientX - before.clientX
  const dy = event.clientY - before.clientY
  moved += Math.abs(dx) + Math.abs(dy)
  if (lasso) lasso.push(place(event))
  else if (down.size === 2) pinch()
  else view = { ...view, x: view.x - (dx * size.ratio) / unit(), y: view.y - (dy * size.ratio) / unit() }
  draw()
})
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    if (!down.delete(event.pointerId) || !points) return
    apart = 0
    if (lasso) {
      const corners = lasso
      lasso = null
      if (corners.length > 2) list((i) => inside(points.x[i], points.y[i], corners))
      draw()
    } else if (moved < 4 && name === "pointerup") {
      const i = nearest(...place(event))
      if (i >= 0) location.href = `/item?${new URLSearchParams({ id: points.items.id[points.item[i]] })}`
    }
  })
}
canvas.addEventListener("pointerleave", () => pointAt(null))
canvas.addEventListener(
  "wheel",
  (event) => {
    if (!points) return
    event.preventDefault()
    zoom(Math.exp(-event.deltaY / 400), place(event))
  },
  { passive: false },
)

function pinch() {
  const [one, other] = [...down.values()]
  const far = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)
  if (apart) zoom(far / apart, place({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 }))
  apart = far
}

function pointAt(event) {
  const i = event ? nearest(...place(event)) : -1
  canvas.style.cursor = i >= 0 ? "pointer" : lassoing() ? "crosshair" : "grab"
  if (i === hover) return
  hover = i
  tip.hidden = i < 0
  if (i >= 0) showTip(i)
  draw()
}

function showTip(i) {
  const row = points.item[i]
  const poster = document.createElement("img")
  poster.src = `/poster?${new URLSearchParams({ id: points.items.id[row] })}`
  poster.alt = ""
  tip.replaceChildren(poster, points.items.title[row])
  const x = toX(points.x[i]) / size.ratio
  const y = toY(points.y[i]) / size.ratio
  tip.classList.toggle("left", x > canvas.clientWidth / 2)
  tip.style.left = `${x}px`
  tip.style.top = `${Math.min(y, canvas.clientHeight - 140)}px`
}

// -- choosing ----------------------------------------------------------------------------------------------------------

const lassoButton = document.getElementById("lasso")
const lassoing = () => lassoButton.getAttribute("aria-pressed") === "true"

// Whether a point lies in a polygon: a ray from it crosses the border an odd number of times.
function inside(x, y, corners) {
  let found = false
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i]
    const [xj, yj] = corners[j]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) found = !found
  }
  return found
}

function list(chosen) {
  const shown = [document.getElementById("show-poster").checked, document.getElementById("show-intro").checked]
  const rows = new Set()
  for (let i = 0; i < points.n; i++) if (shown[points.side[i]] && chosen(i)) rows.add(points.item[i])
  const section = document.getElementById("chosen")
  document.getElementById("chosen-head").textContent = box.dataset.listed.replace("{count}", rows.size.toLocaleString("en"))
  const entries = [...rows].slice(0, 300).map((row) => {
    const entry = document.createElement("li")
    const link = document.createElement("a")
    link.href = `/item?${new URLSearchParams({ id: points.items.id[row] })}`
    link.textContent = points.items.title[row]
    entry.append(link)
    return entry
  })
  document.getElementById("chosen-list").replaceChildren(...entries)
  section.hidden = false
}

function listInView() {
  if (!points) return
  list((i) => {
    const x = toX(points.x[i])
    const y = toY(points.y[i])
    return x >= 0 && y >= 0 && x <= size.w && y <= size.h
  })
}

function whole() {
  view = { x: 0.5, y: 0.5, scale: 1 }
  draw()
}

lassoButton.addEventListener("click", () => lassoButton.setAttribute("aria-pressed", String(!lassoing())))
document.getElementById("in-view").addEventListener("click", listInView)
document.getElementById("whole").addEventListener("click", whole)
for (const id of ["show-poster", "show-intro", "show-lines"]) document.getElementById(id).addEventListener("change", draw)
document.getElementById("colour").addEventListener("change", (event) => {
  const url = `/map?${new URLSearchParams({ colour: event.target.value })}`
  history.replaceState({}, "", url)
  if (points) colour(event.target.value)
})

canvas.addEventListener("keydown", (event) => {
  if (!points || event.ctrlKey || event.metaKey || event.altKey) return
  const step = (60 * size.ratio) / unit()
  const keys = {
    ArrowLeft: () => (view.x -= step),
    ArrowRight: () => (view.x += step),
    ArrowUp: () => (view.y -= step),
    ArrowDown: () => (view.y += step),
    "+": () => zoom(1.4),
    "=": () => zoom(1.4),
    "-": () => zoom(1 / 1.4),
    0: whole,
    Enter: listInView,
    Escape: () => lassoButton.setAttribute("aria-pressed", "false"),
  }
  if (!keys[event.key]) return
  event.preventDefault()
  keys[event.key]()
  draw()
})

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw)
new ResizeObserver(resize).observe(canvas)
load()
