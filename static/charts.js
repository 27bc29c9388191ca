// Draws <figure data-chart="id"> with Chart.js from the JSON script element of that id. The figure already holds the same
// chart as SVG, which stays when this script does not run, and a table of the numbers follows it.
(() => {
  "use strict";
  const drawn = new Map();
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function striped(colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = token("--t-surface");
    pen.globalAlpha = 0.62;
    pen.lineWidth = 3;
    for (const x of [-4, 4, 12]) { pen.moveTo(x - 4, 8); pen.lineTo(x + 4, 0); }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  }

  function dataset(series) {
    const plain = token(`--t-c${series.colour}`), stripes = striped(plain), estimated = new Set(series.estimated);
    return {
      label: series.label,
      data: series.values,
      backgroundColor: series.values.map((_, slot) => (estimated.has(slot) ? stripes : plain)),
      categoryPercentage: 0.72,
      barPercentage: 1,
    };
  }

  // A slot without data is grey and striped over its whole height: an empty place would read as zero.
  const unknownSlots = {
    id: "unknownSlots",
    beforeDatasetsDraw({ ctx, chartArea, scales }, _, { slots = [] }) {
      const width = chartArea.width / Math.max(scales.x.ticks.length, 1) * 0.72;
      ctx.save();
      ctx.fillStyle = striped(token("--t-none-fill"));
      for (const slot of slots) ctx.fillRect(scales.x.getPixelForValue(slot) - width / 2, chartArea.top, width, chartArea.height);
      ctx.restore();
    },
  };

  function options(chart) {
    const muted = token("--t-muted"), figures = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
    const font = { family: "Inter, system-ui, sans-serif", size: 12 };
    const said = (item) => {
      const value = chart.series[item.datasetIndex].values[item.dataIndex];
      const how = chart.series[item.datasetIndex].estimated.includes(item.dataIndex) ? ", estimated" : "";
      return ` ${item.dataset.label}: ${value === null ? "unknown" : `${figures.format(value)} ${chart.unit}`}${how}`;
    };
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: { unknownSlots: { slots: chart.unknown }, legend: { display: false }, tooltip: { callbacks: { label: said } } },
      scales: {
        x: { stacked: true, grid: { display: false }, ticks: { color: muted, font }, border: { color: token("--t-line") } },
        y: { stacked: true, beginAtZero: true, grid: { color: token("--t-line") }, ticks: { color: muted, font, maxTicksLimit: 5 }, border: { display: false } },
      },
    };
  }

  function draw(figure) {
    const source = document.getElementById(figure.dataset.chart);
    if (!source || !window.Chart) return;
    const chart = JSON.parse(source.textContent);
    let canvas = figure.querySelector("canvas");
    if (!canvas) {
      const holder = document.createElement("div");
      holder.className = "chart-live";
      canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", chart.title);
      holder.append(canvas);
      figure.querySelector(".chart").replaceWith(holder);
    }
    drawn.get(figure)?.destroy();
    const data = { labels: chart.labels, datasets: chart.series.map(dataset) };
    drawn.set(figure, new Chart(canvas, { type: "bar", data, options: options(chart), plugins: [unknownSlots] }));
  }

  const drawAll = (part) => part.querySelectorAll("figure[data-chart]").forEach(draw);
  // A canvas is painted once, with the fonts that are there.
  document.addEventListener("DOMContentLoaded", () => document.fonts.load("12px Inter").finally(() => drawAll(document)));
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) drawAll(event.target); });
  document.addEventListener("htmx:beforeCleanupElement", (event) => { drawn.get(event.target)?.destroy(); drawn.delete(event.target); });
  // A canvas does not follow the stylesheet: colours are read again when the theme changes.
  document.addEventListener("tenantry:theme", () => drawAll(document));
})();
