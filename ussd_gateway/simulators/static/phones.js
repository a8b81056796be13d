// The page's side of the phones: it shows what the simulator says each phone shows, and sends
// what is pressed. All state that matters is in the simulator; a reload loses nothing.
"use strict";

const POLL_MS = 700;
const BANNER_MS = 4000;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

class Phone {
  constructor(seat) {
    this.seat = seat;
    this.busy = false; // a request of ours is on its way
    this.asked = 0; // requests begun; the answer to an older one is not shown
    this.newestRow = null; // of the inbox, null before it is first read
    this.unread = 0;
    this.drawn = ""; // the session state that is shown now, to draw changes only

    const find = (selector) => seat.querySelector(selector);
    this.who = find(".who");
    this.other = find(".other");
    this.number = find(".number");
    this.hint = find(".hint");
    this.body = find(".phone");
    this.lcd = find(".lcd");
    this.shown = find(".shown");
    this.typed = find(".typed");
    this.banner = find(".banner");
    this.verdict = find(".verdict");
    this.route = find(".route");
    this.words = find(".words");
    this.texted = find(".texted");
    this.listen(find);
  }

  listen(find) {
    this.who.addEventListener("change", () => this.choose());
    this.other.addEventListener("submit", (event) => {
      event.preventDefault();
      this.use(this.number.value.trim(), "Another number");
    });
    this.body.addEventListener("submit", (event) => {
      event.preventDefault();
      this.call();
    });
    this.body.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.hangUp();
    });
    find(".end").addEventListener("click", () => this.hangUp());
    find(".hang").addEventListener("click", () => this.hangUp());
    find(".clear").addEventListener("click", () => this.edit(""));
    find(".repeat").addEventListener("click", () => this.repeat());
    find(".texting").addEventListener("submit", (event) => {
      event.preventDefault();
      this.text();
    });
    for (const key of this.seat.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => this.edit(key.dataset.key));
    }
    for (const name of ["pointerenter", "focusin"]) {
      find(".inbox").addEventListener(name, () => this.read());
    }
  }

  // --- whose phone ---

  choose() {
    const option = this.who.selectedOptions[0];
    this.other.hidden = option.value !== "";
    if (option.value === "") {
      this.hint.textContent = "Type any number; it need not be registered.";
      this.number.focus();
      return;
    }
    this.use(option.value, option.dataset.hint, option.dataset.code);
  }

  use(msisdn, hint, code) {
    this.msisdn = msisdn;
    this.code = code || Phone.firstCode;
    this.rest(); // until the simulator says more: what is typed meanwhile stays, and is dialled
    this.hint.textContent = hint;
    this.hint.classList.remove("wrong");
    this.newestRow = null;
    this.busy = false;
    this.verdict.hidden = true;
    this.texted.hidden = true;
    this.seat.querySelector(".wait").hidden = true;
    this.read();
    this.refresh();
    Phone.remember();
  }

  // --- keys ---

  get state() {
    return this.lcd.classList.contains("at-rest") ? "idle"
      : this.lcd.classList.contains("closed") ? "closed" : "open";
  }

  edit(key) {
    if (this.state === "closed") return;
    const field = this.typed;
    if (key) field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
    else if (field.selectionStart !== field.selectionEnd) field.setRangeText("");
    else field.setRangeText("", Math.max(field.selectionStart - 1, 0), field.selectionStart, "end");
  }

  call() {
    const text = this.typed.value.trim();
    if (this.state === "closed") this.hangUp();
    else if (text === "") this.typed.focus();
    else if (this.state === "open") this.send("enter", { text });
    else this.send("dial", { code: text, route: this.route.value });
  }

  hangUp() {
    if (this.state === "idle" && !this.busy) {
      this.typed.value = "";
      return;
    }
    this.rest(); // at once, as on a phone: what is typed from now on stays
    this.send("hang_up", {});
  }

  rest() {
    this.drawn = "";
    this.typed.value = this.code;
    this.drawSession({ id: null, open: false }, null);
  }

  async repeat() {
    const answer = await this.send("repeat", {});
    if (!answer || !answer.repeat) return;
    const same = answer.repeat.identical;
    this.verdict.textContent = same ? "✓ Identical answer, byte for byte"
      : `✗ Another answer: ${answer.repeat.text}`;
    this.verdict.classList.toggle("same", same);
    this.verdict.hidden = false;
  }

  // An SMS goes beside the session: a screen that is awaited is not waited for.
  async text() {
    const text = this.words.value.trim();
    if (text === "") {
      this.words.focus();
      return;
    }
    this.words.value = "";
    this.texted.hidden = true;
    const answer = await this.post("text", { text });
    const sent = answer !== null && answer.texted && answer.texted.taken;
    const why = (answer && (answer.error || answer.texted.trouble)) || "The simulator does not answer.";
    this.texted.textContent = sent ? "✓ Sent" : `✗ ${why}`;
    this.texted.classList.toggle("same", sent);
    this.texted.hidden = false;
  }

  // --- the simulator ---

  async post(action, body) {
    try {
      const response = await fetch(`phones/${encodeURIComponent(this.msisdn)}/${action}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      return await response.json();
    } catch {
      return null;
    }
  }

  async send(action, body) {
    // Hanging up is allowed while an answer is awaited; nothing else is.
    if (this.busy && action !== "hang_up") return null;
    this.busy = true;
    this.verdict.hidden = true;
    this.seat.querySelector(".wait").hidden = action === "hang_up";
    const answer = await this.fetch(action, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer === null) return null; // hung up meanwhile, or another phone now
    this.busy = false;
    this.seat.querySelector(".wait").hidden = true;
    return answer;
  }

  refresh() {
    return this.busy || !this.msisdn ? null : this.fetch("state", {});
  }

  async fetch(action, options) {
    const asked = ++this.asked;
    let answer;
    try {
      const response = await fetch(`phones/${encodeURIComponent(this.msisdn)}/${action}`, options);
      answer = await response.json();
    } catch {
      answer = { error: "The simulator does not answer." };
    }
    if (asked !== this.asked) return null; // something newer was asked since
    if (answer.error) this.complain(answer.error, action);
    else this.draw(answer, action);
    return answer;
  }

  // Stays until something of its kind goes well: a glance at the phone ends no complaint of a key.
  complain(error, action) {
    this.hint.textContent = error;
    this.hint.classList.add("wrong");
    this.wrong = action;
  }

  // --- drawing ---

  draw({ msisdn, route, session, screen, messages }, action) {
    const over = action !== "state" || this.wrong === "state";
    if (over && this.hint.classList.contains("wrong")) {
      this.hint.classList.remove("wrong");
      this.hint.textContent = this.who.selectedOptions[0].dataset.hint || "Another number";
    }
    this.msisdn = msisdn;
    this.seat.querySelector(".msisdn").textContent = msisdn;
    const drawing = JSON.stringify([session, screen]);
    if (drawing !== this.drawn) {
      this.route.value = route;
      this.drawSession(session, screen);
      this.drawn = drawing;
    }
    this.drawInbox(messages);
  }

  drawSession(session, screen) {
    const had = this.seat.contains(document.activeElement);
    const rested = this.state === "idle";
    this.lcd.classList.toggle("at-rest", screen === null);
    this.lcd.classList.toggle("closed", screen !== null && !session.open);
    this.shown.textContent = screen ? screen.text : "";
    this.shown.scrollTop = 0;
    if (screen) this.typed.value = "";
    else if (!rested) this.typed.value = this.code;
    this.seat.querySelector(".soft-call").textContent = !screen ? "Call" : session.open ? "Send" : "OK";
    this.seat.querySelector(".soft-end").textContent = screen && session.open ? "Cancel" : "";
    if (had && document.activeElement.matches(".typed, .call, body")) {
      (session.open || !screen ? this.typed : this.shown).focus();
    }
    this.drawCount(screen);
    this.drawLine(session, screen);
  }

  drawCount(screen) {
    const ucs2 = screen !== null && screen.coding === "UCS-2";
    const { used, safe, most } = screen || { used: 0, safe: 160, most: 182 };
    const unit = ucs2 ? "UCS-2 characters" : "septets";
    const count = this.seat.querySelector(".count");
    const meter = this.seat.querySelector(".meter");
    count.querySelector(".used").textContent = used;
    count.querySelector(".of").textContent = used > safe && !ucs2 ? `of ${most} ${unit}` : `of ${safe} ${unit}`;
    count.querySelector(".coding").textContent = ucs2 ? "UCS-2" : "GSM-7";
    count.querySelector(".coding").classList.toggle("ucs2", ucs2);
    count.classList.toggle("over", used > safe);
    meter.style.setProperty("--safe", `${(100 * safe) / most}%`);
    meter.firstElementChild.style.width = `${Math.min((100 * used) / most, 100)}%`;
  }

  drawLine(session, screen) {
    const trouble = this.seat.querySelector(".trouble");
    trouble.hidden = !screen || !screen.trouble;
    trouble.textContent = screen ? screen.trouble : "";
    const line = this.seat.querySelector(".session");
    line.textContent = "No session";
    if (session.id) {
      const code = document.createElement("code");
      code.textContent = `${session.id.slice(0, 14)}…`;
      code.title = session.id;
      const word = session.open ? "open" : "ended";
      line.replaceChildren(code, ` · ${session.hops} ${session.hops === 1 ? "hop" : "hops"}, ${word}`);
    }
    this.seat.querySelector(".repeat").disabled = !session.id;
    this.seat.querySelector(".hang").disabled = !session.open;
  }

  drawInbox(messages) {
    const newest = messages.length ? messages[0].row : 0;
    if (newest === this.newestRow) return;

    const before = this.newestRow;
    const fresh = before === null ? 0 : messages.filter((one) => one.row > before).length;
    this.newestRow = newest;
    this.seat.querySelector(".empty").hidden = messages.length > 0;
    this.seat.querySelector(".inbox").replaceChildren(
      ...messages.map((one, at) => letter(one, at < fresh)));
    this.seat.querySelector(".inbox").scrollTop = 0;
    if (fresh) this.ring(fresh);
  }

  ring(fresh) {
    this.unread += fresh;
    this.banner.textContent = this.unread === 1 ? "1 new message" : `${this.unread} new messages`;
    this.seat.querySelector(".unread").textContent = `${this.unread} new`;
    for (const place of [".banner", ".unread", ".letter"]) {
      this.seat.querySelector(place).hidden = false;
    }
    this.body.classList.add("buzz");
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.banner.hidden = true;
      this.body.classList.remove("buzz");
    }, BANNER_MS);
  }

  read() {
    this.unread = 0;
    for (const place of [".banner", ".unread", ".letter"]) {
      this.seat.querySelector(place).hidden = true;
    }
  }

  // --- both phones ---

  static remember() {
    const numbers = Phone.all.map((phone) => phone.msisdn);
    history.replaceState(null, "", `#${numbers.join(",")}`);
  }

  static start() {
    const seats = [...document.querySelectorAll(".seat")];
    Phone.firstCode = document.querySelector(".typed").defaultValue;
    Phone.all = seats.map((seat) => new Phone(seat));
    const wanted = location.hash.slice(1).split(",");
    Phone.all.forEach((phone, at) => phone.begin(wanted[at], at));
    setInterval(() => {
      if (!document.hidden) Phone.all.forEach((phone) => phone.refresh());
    }, POLL_MS);
    showTime();
    setInterval(showTime, 5000);
  }

  begin(wanted, at) {
    const options = [...this.who.options];
    const known = options.findIndex((option) => option.value !== "" && option.value === wanted);
    const first = Math.min(at, options.length - 1);
    this.who.selectedIndex = known >= 0 ? known : wanted ? options.length - 1 : first;
    this.choose();
    if (known < 0 && wanted) {
      this.number.value = wanted;
      this.use(wanted, "Another number");
    }
  }
}

// What somebody outside does, chosen for both phones; the simulator keeps it, at `address`.
// `told` makes what is posted of a choice, and `chosen` the choice of what is told; none of them
// is checked where something else is on.
class Outside {
  constructor(control, address, { told, chosen }) {
    Object.assign(this, { control, address, chosen });
    control.addEventListener("change", (event) => this.ask({
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify(told(event.target.value)),
    }));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.ask();
    });
    this.ask();
  }

  async ask(options) {
    try {
      const response = await fetch(this.address, options);
      const chosen = this.chosen(await response.json());
      for (const choice of this.control.elements) choice.checked = choice.value === chosen;
      this.control.disabled = false;
    } catch {
      this.control.disabled = true; // until it is asked again
    }
  }
}

const carrier = { told: (mood) => ({ mood }), chosen: ({ mood }) => mood };

const texts = {
  told: (trouble) => (trouble === "none" ? {} : { answers: { [trouble]: 1 } }),
  chosen({ answers, reports, next }) {
    const shares = Object.entries({ ...answers, ...reports }).filter(([, share]) => share > 0);
    if (shares.length === 0 || next === 0) return "none";
    const [[trouble, share], ...others] = shares;
    return share === 1 && trouble in answers && !others.length && next === null ? trouble : null;
  },
};

function letter(message, fresh) {
  const item = document.createElement("li");
  item.classList.toggle("fresh", fresh);
  const when = new Date(message.received_at);
  const parts = message.segments === 1 ? "1 segment" : `${message.segments} segments`;
  const unit = message.coding === "UCS-2" ? "UCS-2 characters" : "septets";

  const about = line("about", "");
  const sender = document.createElement("b");
  sender.textContent = message.from;
  const time = document.createElement("time");
  time.dateTime = message.received_at;
  time.textContent = when.toLocaleTimeString([], { ...CLOCK, second: "2-digit" });
  time.title = when.toLocaleString();
  about.append(sender, time);

  const size = line("size", `${parts} · ${message.used} ${unit}`);
  size.classList.toggle("long", message.segments > 1);
  item.append(about, line("text", message.text), size);
  return item;
}

function line(name, text) {
  const paragraph = document.createElement("p");
  paragraph.className = name;
  paragraph.textContent = text;
  return paragraph;
}

function showTime() {
  const now = new Date().toLocaleTimeString([], CLOCK);
  for (const clock of document.querySelectorAll(".clock")) clock.textContent = now;
}

Phone.start();
new Outside(document.querySelector("#mood"), "carrier/mood", carrier);
new Outside(document.querySelector("#trouble"), "sms/troubles", texts);
