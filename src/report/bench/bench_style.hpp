#pragma once

namespace pgsluice::report {

/// The style of bench_html's page: light, or dark if the reader's system asks for it.
inline constexpr const char* kBenchStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f7f9; --ink: #1c2430; --faint: #5b6675; --rule: #d9dee5; --accent: #0b6b4f;
  --h0: #1f6feb; --h1: #c2570c; --h2: #0f8a5f; --h3: #8b3fd1; --h4: #b4232f; --h5: #4b5563;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --panel: #1a2029; --ink: #e6eaf0; --faint: #9aa6b5; --rule: #303946; --accent: #4fd1a5;
    --h0: #6ea8fe; --h1: #f5a25d; --h2: #4fd1a5; --h3: #c39bf5; --h4: #f0808a; --h5: #aab4c2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 28px 0 2px; }
p { margin: 0 0 10px; color: var(--faint); max-width: 90ch; }
.early { color: var(--h4); font-weight: 600; }
.verdict { background: var(--panel); border-left: 4px solid var(--accent); padding: 14px 18px; margin: 16px 0; }
.verdict h2 { margin: 0 0 4px; color: var(--accent); }
.verdict p { color: var(--ink); }
pre { background: var(--ground); border: 1px solid var(--rule); padding: 10px 14px; margin: 8px 0 0; overflow-x: auto;
  font: 13px/1.5 ui-monospace, monospace; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: center; }
.legend span { color: var(--ink); }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 6px; vertical-align: middle;
  background: currentColor; }
.legend .h0 i { background: var(--h0); } .legend .h1 i { background: var(--h1); }
.legend .h2 i { background: var(--h2); } .legend .h3 i { background: var(--h3); }
.legend .h4 i { background: var(--h4); } .legend .h5 i { background: var(--h5); }
.legend b { display: inline-block; width: 14px; height: 14px; margin-right: 6px; vertical-align: middle;
  border: 2px solid var(--accent); border-radius: 50%; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 14px; }
svg { width: 100%; max-width: 620px; height: auto; background: var(--panel); border-radius: 6px; }
svg .title { font: 600 12px system-ui, sans-serif; fill: var(--ink); }
svg .tick { font: 10.5px system-ui, sans-serif; fill: var(--faint); }
svg .axis { stroke: var(--faint); }
svg .grid { stroke: var(--rule); }
svg .guide { stroke: var(--accent); stroke-dasharray: 5 4; }
svg polyline { fill: none; stroke: var(--hue); stroke-width: 2; }
svg .spread { stroke: var(--hue); stroke-width: 1.5; opacity: 0.55; }
svg .dot { fill: var(--hue); }
svg .win { fill: none; stroke: var(--accent); stroke-width: 2.5; }
svg .h0 { --hue: var(--h0); } svg .h1 { --hue: var(--h1); } svg .h2 { --hue: var(--h2); }
svg .h3 { --hue: var(--h3); } svg .h4 { --hue: var(--h4); } svg .h5 { --hue: var(--h5); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--faint); font-weight: 600; }
tr.best td { color: var(--accent); font-weight: 700; }
ul { margin: 4px 0 0; padding-left: 20px; color: var(--faint); max-width: 95ch; }
)css";

}  // namespace pgsluice::report
