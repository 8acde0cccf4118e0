"use strict";
// Draws what the page carries: stays of tasks on CPUs, lengths of runqueues, tasks with their states.
// Columns of numbers come compressed; see cluster/page/__init__.py for their names.
(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const kinds = { d: Float64Array, f: Float32Array, I: Uint32Array, B: Uint8Array, "+": Uint32Array };
  const column = async ([kind, text]) => {
    const letters = atob(text), packed = new Uint8Array(letters.length);
    for (let i = 0; i < packed.length; i++) packed[i] = letters.charCodeAt(i);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const values = new kinds[kind](await new Response(stream).arrayBuffer());
    if (kind !== "+") return values;
    const sums = new Float64Array(values.length);  // of the distances from one to the next
    for (let i = 0, sum = 0; i < values.length; i++) sums[i] = sum += values[i];
    return sums;
  };
  const columns = async (from) => Object.fromEntries(await Promise.all(Object.entries(from).map(async ([name, one]) => [name, await column(one)])));
  const by = (id) => document.getElementById(id);
  const [cpus, { ns: wokenNs, task: woken }] = await Promise.all([Promise.all(data.cpus.map(columns)), columns(data.woken)]);
  const tasks = data.tasks, end = Math.max(1, data.end_ns);
  // Okabe and Ito's colours, which all eyes tell apart; what looks alike has its name written on it
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7f7f7f"];
  const names = data.names, colourOf = (name) => palette[name % palette.length];
  const shown = (ns) => ns >= 1e9 ? (ns / 1e9).toPrecision(7) + " s" : ns >= 1e6 ? (ns / 1e6).toPrecision(6) + " ms"
    : ns >= 1e3 ? (ns / 1e3).toPrecision(5) + " us" : Math.round(ns) + " ns";

  // Blocks of many stays, and of many such: what is narrower than a pixel is drawn as one.
  const FEW = 32;
  for (const cpu of cpus) {
    cpu.levels = [cpu];
    for (let below = cpu; below.start.length > FEW; below = cpu.levels[cpu.levels.length - 1]) {
      const count = Math.ceil(below.start.length / FEW);
      const level = { start: new Float64Array(count), length: new Float64Array(count), busy: new Float64Array(count), name: new Uint32Array(count) };
      for (let block = 0; block < count; block++) {
        const first = block * FEW, last = Math.min(first + FEW, below.start.length) - 1;
        let busy = 0, longest = -1;
        for (let i = first; i <= last; i++) {
          const ran = below.busy ? below.busy[i] : below.length[i];
          busy += ran;
          if (ran > longest) { longest = ran; level.name[block] = below.name[i]; }
        }
        level.start[block] = below.start[first];
        level.length[block] = below.start[last] + below.length[last] - below.start[first];
        level.busy[block] = busy;
      }
      cpu.levels.push(level);
    }
  }
  const firstEndingAfter = (level, ns) => {
    let low = 0, high = level.start.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (level.start[middle] + level.length[middle] <= ns) low = middle + 1; else high = middle;
    }
    return low;
  };

  const view = { from: 0, to: end };
  const LEFT = 64, LANE = Math.max(12, Math.min(26, Math.floor(560 / cpus.length)));
  const style = getComputedStyle(document.documentElement);
  let ink, faint, line, panel;
  const colours = () => [ink, faint, line, panel] = ["--ink", "--faint", "--line", "--panel"].map((name) => style.getPropertyValue(name).trim());
  colours();
  const sized = (canvas, height) => {
    const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
      canvas.style.height = height + "px";
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px ui-monospace, 'DejaVu Sans Mono', monospace";
    return [context, width];
  };
  const axis = (context, width, height) => {
    const span = view.to - view.from, about = span / Math.max(2, (width - LEFT) / 130);
    const power = Math.pow(10, Math.floor(Math.log10(about)));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= about);
    context.fillStyle = faint; context.strokeStyle = line; context.lineWidth = 1;
    for (let ns = Math.ceil(view.from / step) * step; ns <= view.to; ns += step) {
      const x = LEFT + (ns - view.from) * (width - LEFT) / span;
      context.beginPath(); context.moveTo(x, 0); context.lineTo(x, height - 14); context.stroke();
      context.fillText(shown(ns), x + 3, height - 3);
    }
  };

  const lanes = by("lanes"), queues = by("queues"), box = by("tasks"), rows = by("rows");
  const drawLanes = () => {
    const height = cpus.length * LANE + 16, [context, width] = sized(lanes, height);
    axis(context, width, height);
    const scale = (width - LEFT) / (view.to - view.from);
    cpus.forEach((cpu, number) => {
      const y = number * LANE;
      context.globalAlpha = 1; context.fillStyle = ink;
      context.fillText("CPU " + number, 4, y + LANE / 2 + 4);
      let depth = 0, level = cpu.levels[0], first, last;
      for (;;) {  // the finest level of which there is not much more than a piece a pixel
        level = cpu.levels[depth]; first = firstEndingAfter(level, view.from); last = first;
        const room = first + 2 * (width - LEFT);
        last = Math.min(level.start.length, Math.ceil(room));
        if (last >= level.start.length || level.start[last] >= view.to || depth + 1 === cpu.levels.length) break;
        depth++;
      }
      for (let i = first; i < level.start.length && level.start[i] < view.to; i++) {
        const x = Math.max(LEFT, LEFT + (level.start[i] - view.from) * scale);
        const right = Math.min(width, LEFT + (level.start[i] + level.length[i] - view.from) * scale);
        context.globalAlpha = level.busy ? Math.max(0.15, level.busy[i] / (level.length[i] || 1)) : 1;
        context.fillStyle = colourOf(level.name[i]);
        context.fillRect(x, y + 2, Math.max(0.6, right - x), LANE - 4);
        if (!level.busy && right - x > 60) {
          const text = names[level.name[i]] + " " + tasks[level.task[i]][0];
          context.globalAlpha = 1; context.fillStyle = "#000000";
          context.fillText(text.slice(0, Math.floor((right - x - 6) / 6.7)), x + 3, y + LANE / 2 + 4);
        }
      }
    });
    context.globalAlpha = 1;
  };
  const drawQueues = () => {
    const height = 110, [context, width] = sized(queues, height);
    axis(context, width, height);
    const bins = Math.max(...cpus.map((cpu) => cpu.queue.length), 1), sum = new Float64Array(bins);
    for (const cpu of cpus) cpu.queue.forEach((value, bin) => { sum[bin] += value; });
    const most = Math.max(1, ...sum), tall = height - 22, scale = (width - LEFT) / (view.to - view.from);
    context.fillStyle = ink;
    context.fillText(most.toPrecision(3), 4, 12); context.fillText("0", 4, tall + 6);
    context.strokeStyle = palette[0]; context.lineWidth = 1.5; context.beginPath();
    for (let bin = 0; bin < bins; bin++) {
      const x = LEFT + (bin * data.queue_width_ns - view.from) * scale, y = tall + 4 - sum[bin] / most * (tall - 4);
      const right = x + data.queue_width_ns * scale;
      if (right < LEFT || x > width) continue;
      context.lineTo(Math.max(LEFT, x), y); context.lineTo(Math.min(width, right), y);
    }
    context.stroke();
  };

  // stays and wake-ups of each task: places in one list, and where each task's begin
  const total = cpus.reduce((sum, cpu) => sum + cpu.start.length, 0);
  const grouped = (count, each) => {
    const begins = new Uint32Array(tasks.length + 1);
    each((task) => { begins[task + 1]++; });
    for (let i = 0; i < tasks.length; i++) begins[i + 1] += begins[i];
    const next = begins.slice(), places = new Uint32Array(count);
    return { begins, put: (task, place) => { places[next[task]++] = place; }, places };
  };
  const stayStart = new Float64Array(total), stayEnd = new Float64Array(total), stayState = new Uint8Array(total), stayTask = new Uint32Array(total);
  {
    let at = 0;
    for (const cpu of cpus) for (let i = 0; i < cpu.start.length; i++, at++) {
      stayStart[at] = cpu.start[i]; stayEnd[at] = cpu.start[i] + cpu.length[i]; stayState[at] = cpu.state[i]; stayTask[at] = cpu.task[i];
    }
  }
  const stays = grouped(total, (count) => { for (let i = 0; i < total; i++) count(stayTask[i]); });
  for (let i = 0; i < total; i++) stays.put(stayTask[i], i);
  const wakes = grouped(woken.length, (count) => { for (let i = 0; i < woken.length; i++) count(woken[i]); });
  for (let i = 0; i < woken.length; i++) wakes.put(woken[i], i);
  const sorted = new Uint8Array(tasks.length);
  const staysOf = (task) => {
    const mine = stays.places.subarray(stays.begins[task], stays.begins[task + 1]);
    if (!sorted[task]) { mine.sort((a, b) => stayStart[a] - stayStart[b]); sorted[task] = 1; }
    return mine;
  };

  // the tree: children below who made them, in order of birth
  const children = new Map();
  tasks.forEach((task, place) => { const list = children.get(task[2]); if (list) list.push(place); else children.set(task[2], [place]); });
  const order = [], depthOf = new Uint16Array(tasks.length);
  const stack = (children.get(-1) || []).slice().reverse();
  while (stack.length) {
    const place = stack.pop();
    order.push(place);
    for (const child of (children.get(place) || []).slice().reverse()) { depthOf[child] = Math.min(40, depthOf[place] + 1); stack.push(child); }
  }
  const ROW = 16, NAME = 260;
  const states = { run: "#009e73", wait: "#e69f00", sleep: "#9db7cc", block: "#d55e00", stop: "#cc79a7", zombie: "#7f7f7f" };
  const drawRows = () => {
    const height = box.clientHeight, [context, width] = sized(rows, height);
    by("room").style.height = order.length * ROW + "px";
    const scale = (width - NAME) / (view.to - view.from), first = Math.floor(box.scrollTop / ROW);
    const px = (ns) => Math.min(width, Math.max(NAME, NAME + (ns - view.from) * scale));
    const bar = (from, to, colour, y, thin) => {
      if (to < view.from || from > view.to) return;
      context.fillStyle = colour;
      context.fillRect(px(from), y + (thin ? 6 : 2), Math.max(0.6, px(to) - px(from)), thin ? 4 : ROW - 4);
    };
    for (let row = first; row < Math.min(order.length, first + Math.ceil(height / ROW) + 1); row++) {
      const place = order[row], task = tasks[place], y = row * ROW - box.scrollTop;
      const until = task[5] < 0 ? end : task[5], mine = staysOf(place);
      context.fillStyle = ink;
      context.fillText((" ".repeat(depthOf[place]) + task[3] + " " + task[0]).slice(0, 38), 4, y + 12);
      let low = 0, high = mine.length;
      while (low < high) { const middle = (low + high) >> 1; if (stayEnd[mine[middle]] <= view.from) low = middle + 1; else high = middle; }
      let pixel = -1, wake = wakes.begins[place];
      if (low === 0) {  // before its first turn: until somebody wakes it, it is not runnable
        const first = mine.length ? stayStart[mine[0]] : until;
        const up = wake < wakes.begins[place + 1] ? Math.min(first, wokenNs[wakes.places[wake]]) : first;
        bar(task[4], up, states.sleep, y, true);
        bar(up, first, states.wait, y, true);
      }
      for (let i = Math.max(0, low - 1); i < mine.length && stayStart[mine[i]] <= view.to; i++) {
        const stay = mine[i], next = i + 1 < mine.length ? stayStart[mine[i + 1]] : until;
        if (Math.floor(px(next)) === pixel && i + 1 < mine.length) continue;  // nothing of it would be seen
        pixel = Math.floor(px(next));
        const left = stayEnd[stay], state = stayState[stay];
        if (state === 0) bar(left, next, states.wait, y, true);
        else if (state >= 4) bar(left, until, states.zombie, y, true);
        else {
          let a = wake, b = wakes.begins[place + 1];
          while (a < b) { const middle = (a + b) >> 1; if (wokenNs[wakes.places[middle]] < left) a = middle + 1; else b = middle; }
          wake = a;
          const up = a < wakes.begins[place + 1] ? Math.min(next, wokenNs[wakes.places[a]]) : next;
          bar(left, up, state === 2 ? states.block : state === 3 ? states.stop : states.sleep, y, true);
          bar(up, next, states.wait, y, true);
        }
        bar(stayStart[stay], left, states.run, y, false);
      }
    }
  };

  let asked = false;
  const draw = () => {
    asked = false;
    drawLanes(); drawQueues(); drawRows();
    by("span").textContent = shown(view.from) + " to " + shown(view.to);
  };
  const redraw = () => { if (!asked) { asked = true; requestAnimationFrame(draw); } };
  const show = (from, to) => {
    const span = Math.min(end, Math.max(20, to - from));
    view.from = Math.min(Math.max(0, from), end - span); view.to = view.from + span;
    redraw();
  };
  const zoom = (factor, share) => {
    const span = view.to - view.from, middle = view.from + span * share;
    show(middle - span * factor * share, middle + span * factor * (1 - share));
  };
  const pan = (share) => { const far = (view.to - view.from) * share; show(view.from + far, view.to + far); };
  const keys = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.6, 0.5), "=": () => zoom(0.6, 0.5), "-": () => zoom(1 / 0.6, 0.5), Home: () => show(0, end) };
  const told = (event, canvas) => {
    const place = canvas.getBoundingClientRect(), x = event.clientX - place.left, y = event.clientY - place.top;
    const ns = view.from + (x - LEFT) * (view.to - view.from) / (place.width - LEFT), number = Math.floor(y / LANE);
    if (canvas !== lanes || x < LEFT || number >= cpus.length) return shown(Math.max(0, ns));
    const cpu = cpus[number], i = firstEndingAfter(cpu, ns), on = i < cpu.start.length && cpu.start[i] <= ns;
    if (!on) return "CPU " + number + " at " + shown(ns) + ": idle";
    const who = names[cpu.name[i]] + " (" + tasks[cpu.task[i]][0] + ")";
    return "CPU " + number + " at " + shown(ns) + ": " + who + ", " + shown(cpu.start[i]) + " for " + shown(cpu.length[i]);
  };
  for (const [canvas, left] of [[lanes, LEFT], [queues, LEFT], [rows, NAME]]) {
    let held = null;
    canvas.addEventListener("pointerdown", (event) => { held = event.clientX; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointerup", () => { held = null; });
    canvas.addEventListener("pointermove", (event) => {
      by("readout").textContent = told(event, canvas);
      if (held === null) return;
      pan((held - event.clientX) / (canvas.clientWidth - left)); held = event.clientX;
    });
    canvas.addEventListener("wheel", (event) => {
      if (canvas === rows && !event.ctrlKey) return;  // it scrolls
      event.preventDefault();
      const place = canvas.getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.max(0, (event.clientX - place.left - left) / (place.width - left)));
    }, { passive: false });
  }
  for (const part of [lanes, queues, box]) part.addEventListener("keydown", (event) => {
    const key = keys[event.key];
    if (key) { event.preventDefault(); key(); }
  });
  for (const [id, key] of [["left", "ArrowLeft"], ["right", "ArrowRight"], ["in", "+"], ["out", "-"], ["all", "Home"]]) by(id).addEventListener("click", keys[key]);
  box.addEventListener("scroll", redraw);
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); redraw(); });
  window.smplab = { show, view, draw, end, stays: total };
  draw();
  document.body.dataset.drawn = "yes";
})();
