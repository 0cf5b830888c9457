// What scripts add to pages that work without them: live results, pictures dropped or pasted, keys, parts that load later.
const html = document.documentElement
html.classList.add("js")

const pictures = new Map() // of this visit, so that "back" finds the picture again; nothing is stored
let asking = null // the request that is on its way
let shown = location.pathname + location.search // the address of what is shown

// -- getting pages -------------------------------------------------------------------------------------------------

async function fetched(url, options = {}) {
  asking?.abort()
  asking = new AbortController()
  const own = asking
  for (let tries = 0; ; tries++) {
    let answer
    try {
      answer = await fetch(url, { ...options, signal: own.signal, headers: { Accept: "text/html" } })
    } catch (error) {
      if (error.name !== "AbortError") toast("failed")
      return null
    }
    if (answer.status !== 429 || tries === 3) {
      hideToast()
      return { url: answer.url, page: new DOMParser().parseFromString(await answer.text(), "text/html") }
    }
    toast("busy")
    await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get("Retry-After") ?? 2)))
    if (own.signal.aborted) return null
  }
}

function swap(page, ids) {
  for (const id of ids) {
    const fresh = page.getElementById(id)
    const old = document.getElementById(id)
    if (fresh && old) old.replaceWith(document.adoptNode(fresh))
  }
}

// The whole page, or only its answer while somebody types.
function show({ page }, whole) {
  if (!page.getElementById("ask")) {
    swap(page, ["answer"]) // an error; the form stays
  } else if (whole) {
    const typing = document.activeElement?.id === "text"
    document.getElementById("main").replaceWith(document.adoptNode(page.getElementById("main")))
    if (typing) document.getElementById("text").focus()
    else document.getElementById("main").focus({ preventScroll: true })
  } else {
    swap(page, ["answer", "by-picture"])
  }
  shown = location.pathname + location.search
  document.title = page.title
  updateSettings(page)
  ready()
}

// Links that choose language and look hold the address of the page.
function updateSettings(page) {
  const fresh = page.querySelector(".settings")
  if (fresh) document.querySelector(".settings").replaceWith(document.adoptNode(fresh))
}

function toast(which) {
  const place = document.getElementById("toast")
  if (!place) return
  place.textContent = place.dataset[which]
  place.hidden = false
}

function hideToast() {
  const place = document.getElementById("toast")
  if (place) place.hidden = true
}

// -- asking --------------------------------------------------------------------------------------------------------

function addressOf(form) {
  const fields = new URLSearchParams()
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value !== "") fields.append(name, value)
  const query = fields.toString()
  return query ? `/?${query}` : "/"
}

async function go(url, { whole = true, push = true, scroll = true } = {}) {
  const found = await fetched(url)
  if (!found) return
  if (push) history.pushState({}, "", url)
  show(found, whole)
  if (scroll) window.scrollTo({ top: 0 })
}

async function askByPicture(file, { push = true } = {}) {
  const ask = document.getElementById("ask")
  if (!ask || !file) return
  const body = new FormData()
  for (const [name, value] of new FormData(ask)) if (typeof value === "string" && value !== "") body.append(name, value)
  body.append("picture", file, "picture")
  const found = await fetched(ask.dataset.post, { method: "POST", body })
  if (!found) return
  if (push) {
    const number = pictures.size + 1
    pictures.set(number, file)
    history.pushState({ picture: number }, "", addressOf(ask))
  }
  show(found, true)
}

let typed = 0
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("#ask")
  if (!form || event.target.type === "file" || event.isComposing) return
  clearTimeout(typed)
  typed = setTimeout(async () => {
    const url = addressOf(form)
    const found = await fetched(url)
    if (!found) return
    history.replaceState({}, "", url)
    show(found, false)
  }, event.target.id === "text" ? 250 : 0)
})

document.addEventListener("submit", (event) => {
  if (event.target.id !== "ask") return
  event.preventDefault()
  clearTimeout(typed)
  go(addressOf(event.target), { whole: false })
})

document.addEventListener("change", (event) => {
  if (event.target.name === "picture" && event.target.files.length) askByPicture(event.target.files[0])
})

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#answer a, a.load")
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return
  const to = new URL(link.href)
  if (to.origin !== location.origin || to.pathname !== "/" || location.pathname !== "/") return
  event.preventDefault()
  const stays = link.closest(".acts, .chips")
  go(to.pathname + to.search, { scroll: !stays })
})

addEventListener("popstate", (event) => {
  const file = pictures.get(event.state?.picture)
  if (location.pathname !== "/" || !document.getElementById("ask")) return
  if (!file && shown === location.pathname + location.search && !document.querySelector(".chip.picture, .fault")) return // a jump within the page
  if (file) askByPicture(file, { push: false })
  else go(location.pathname + location.search, { push: false, scroll: false })
})

// -- pictures dropped and pasted -------------------------------------------------------------------------------------

const carries = (transfer) => [...(transfer?.items ?? [])].some((item) => item.kind === "file")

function dropping(yes) {
  const place = document.getElementById("dropping")
  if (place) place.hidden = !yes
}

addEventListener("dragover", (event) => {
  if (!document.getElementById("ask") || !carries(event.dataTransfer)) return
  event.preventDefault()
  dropping(true)
})
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropping(false)
})
addEventListener("drop", (event) => {
  if (!document.getElementById("ask")) return
  event.preventDefault() // a browser would leave the page and open the file
  dropping(false)
  if (event.dataTransfer.files.length) askByPicture(event.dataTransfer.files[0])
})
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"))
  if (!file || !document.getElementById("ask")) return
  event.preventDefault()
  askByPicture(file)
})

// -- keys ------------------------------------------------------------------------------------------------------------

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const inField = event.target.matches?.("input:not([type=radio], [type=checkbox], [type=file]), select, textarea, canvas")
  if (event.key === "Escape" && inField) event.target.blur()
  if (inField) return
  const hits = [...document.querySelectorAll(".hit a.to")]
  const at = hits.findIndex((link) => link.closest(".hit").contains(document.activeElement))
  if (event.key === "/") {
    const box = document.getElementById("text")
    if (!box) return
    event.preventDefault()
    box.focus()
    box.select()
  } else if ((event.key === "j" || event.key === "k") && hits.length) {
    const next = event.key === "j" ? Math.min(at + 1, hits.length - 1) : Math.max(at - 1, 0)
    hits[next].focus()
  } else if ((event.key === "+" || event.key === "-") && at >= 0) {
    hits[at].closest(".hit").querySelectorAll(".acts a")[event.key === "+" ? 0 : 1]?.click()
  }
})

// -- parts that load later -------------------------------------------------------------------------------------------

// A link to more of this page: what it adds comes in place, and the address says so.
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-place]")
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return
  event.preventDefault()
  const place = document.getElementById(link.dataset.place)
  place.dataset.load = link.href
  place.dataset.parts = link.dataset.parts
  link.parentElement.setAttribute("role", "status")
  link.parentElement.textContent = link.dataset.waiting
  if (!(await loadPart(place))) return location.assign(link.href) // whose answer says what is wrong
  history.replaceState({}, "", link.href)
  document.getElementById(link.dataset.place)?.scrollIntoView({ block: "nearest" })
})

async function loadPart(place) {
  const url = place.dataset.load
  delete place.dataset.load
  place.setAttribute("aria-busy", "true")
  let answer = null
  try {
    answer = await fetch(url, { headers: { Accept: "text/html" } })
    if (answer.ok) {
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"), place.dataset.parts.split(" "))
    }
  } catch {
    // the link to the same part stays where it is
  }
  place.removeAttribute("aria-busy")
  return Boolean(answer?.ok)
}

function poll(place) {
  const { poll: url, parts } = place.dataset
  setTimeout(async () => {
    const answer = await fetch(url).catch(() => null)
    if (answer?.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"), parts.split(" "))
    ready()
  }, 2000)
}

function ready() {
  for (const place of document.querySelectorAll("[data-load]")) loadPart(place)
  for (const place of document.querySelectorAll("[data-poll]")) {
    if (place.dataset.polled) continue
    place.dataset.polled = "yes"
    poll(place)
  }
}

ready()
