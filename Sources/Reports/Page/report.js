"use strict";

const refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.blockedURI));

/** A number in four significant digits. */
function short(value) {
  return String(Number(value.toPrecision(4)));
}

/** The share of the way from one end of an axis to the other. */
function place(value, [lower, upper], isLogarithmic) {
  return isLogarithmic
    ? (Math.log(value) - Math.log(lower)) / (Math.log(upper) - Math.log(lower))
    // Halves, since the largest numbers are more than the largest number apart.
    : (value / 2 - lower / 2) / (upper / 2 - lower / 2);
}

/** Lets a curve be read at a pointer or with arrow keys, and its axis be changed. */
function animate(figure) {
  const plot = figure.querySelector(".plot");
  const readout = figure.querySelector(".readout");
  const cursor = figure.querySelector(".cursor");
  const dot = figure.querySelector(".dot");
  const data = JSON.parse(figure.querySelector("script").textContent);
  const points = data.points.filter((point) => point[1] !== null);
  const atRest = readout.textContent;
  const unit = data.unit ? ` ${data.unit}` : "";
  let current = null;

  function show(index) {
    current = index;
    figure.classList.toggle("reading", index !== null);
    if (index === null) {
      readout.textContent = atRest;
      return;
    }
    const [step, value, average] = points[index];
    const scale = figure.dataset.scale;
    const x = `${100 * place(step, data.steps, false)}%`;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", `${100 * (1 - place(value, data[scale], scale === "logarithmic"))}%`);
    const mean = average === null ? "" : `, average ${short(average)}`;
    readout.textContent = `${short(value)}${unit}${mean} at step ${step}`;
  }

  function nearest(event) {
    const box = plot.getBoundingClientRect();
    const [first, last] = data.steps;
    const step = first + ((event.clientX - box.left) / box.width) * (last - first);
    let [low, high] = [0, points.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] < step) low = middle + 1;
      else high = middle;
    }
    return low > 0 && step - points[low - 1][0] < points[low][0] - step ? low - 1 : low;
  }

  plot.addEventListener("pointermove", (event) => show(nearest(event)));
  plot.addEventListener("pointerdown", (event) => show(nearest(event)));
  plot.addEventListener("pointerleave", () => show(null));
  figure.addEventListener("blur", () => show(null));
  figure.addEventListener("keydown", (event) => {
    if (event.target !== figure) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
    if (event.key === "Escape") show(null);
    if (!(event.key in moves)) return;
    event.preventDefault();
    const start = current ?? points.length - 1;
    show(Math.min(points.length - 1, Math.max(0, start + moves[event.key])));
  });
  figure.querySelector(".scale")?.addEventListener("change", (event) => {
    figure.dataset.scale = event.target.checked ? "logarithmic" : "linear";
    show(current);
  });
}

/** Shows one sheet of samples large, chosen by the slider or in the strip. */
function showSheets(section) {
  const figure = section.querySelector(".sheet");
  const large = figure.querySelector("img");
  const slider = figure.querySelector("input");
  const name = figure.querySelector("output");
  const strip = section.querySelector(".strip");
  const buttons = [...strip.querySelectorAll("button")];

  function show(index) {
    const image = buttons[index].querySelector("img");
    large.src = image.src;
    large.alt = image.alt;
    large.width = image.getAttribute("width");
    large.height = image.getAttribute("height");
    name.textContent = buttons[index].textContent;
    if (slider) slider.value = index;
    buttons.forEach((button, each) => button.setAttribute("aria-pressed", each === index));
    const button = buttons[index];
    const middle = button.offsetLeft + button.offsetWidth / 2 - strip.offsetLeft;
    strip.scrollLeft = middle - strip.clientWidth / 2;
  }

  figure.hidden = false;
  slider?.addEventListener("input", () => show(Number(slider.value)));
  for (const button of buttons) button.addEventListener("click", () => show(Number(button.dataset.index)));
  show(buttons.length - 1);
}

/** What is wrong with the page as this browser shows it, in words. */
function problems() {
  const found = refused.map((address) => `refused to load ${address}`);
  for (const entry of performance.getEntriesByType("resource")) {
    if (!entry.name.startsWith("data:")) found.push(`loaded ${entry.name}`);
  }
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push("wider than the window");
  for (const figure of document.querySelectorAll("figure.curve:not(.empty)")) {
    const { left, right } = figure.getBoundingClientRect();
    if (left < 0 || right > width) found.push(`${figure.id} is not inside the window`);
    const box = figure.querySelector(".linear path").getBoundingClientRect();
    const plot = figure.querySelector(".plot").getBoundingClientRect();
    const edge = 4;
    if (box.width + box.height === 0 && JSON.parse(figure.querySelector("script").textContent).points.length > 1) {
      found.push(`${figure.id} has no line`);
    }
    if (box.left < plot.left - edge || box.right > plot.right + edge) found.push(`${figure.id} leaves its axes`);
    if (box.top < plot.top - edge || box.bottom > plot.bottom + edge) found.push(`${figure.id} leaves its axes`);
  }
  for (const figure of document.querySelectorAll("figure.chart")) {
    const { left, right } = figure.getBoundingClientRect();
    if (left < 0 || right > width) found.push(`${figure.id} is not inside the window`);
    const box = figure.querySelector(".lines .drawn").getBoundingClientRect();
    if (box.width + box.height === 0) found.push(`${figure.id} has no line`);
  }
  for (const image of document.images) {
    if (!image.complete || image.naturalWidth === 0) found.push(`cannot show: ${image.alt}`);
  }
  return found;
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure.curve:not(.empty)").forEach(animate);
  const samples = document.querySelector("#samples");
  if (samples) showSheets(samples);
});

// All images are there by now.
addEventListener("load", () => {
  const { dataset } = document.documentElement;
  dataset.curves = document.querySelectorAll("figure.curve:not(.empty)").length;
  dataset.charts = document.querySelectorAll("figure.chart").length;
  dataset.sheets = document.querySelectorAll(".strip img").length;
  dataset.problems = problems().join("; ");
  dataset.ready = "yes";
});
