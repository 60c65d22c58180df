"""How the pages look: light and dark, and narrow enough for a phone."""

STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--dim:#667085;--paper:#fbfaf7;--card:#fff;--edge:#e4e1d8;--ours:#3b6fb6;
--theirs:#c9c4b8;--warn:#b25e09}
@media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--dim:#9aa3b2;--paper:#14171d;--card:#1c2029;--edge:#2d3340;
--ours:#7fb0ef;--theirs:#4a5262;--warn:#f0a95a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.2rem;margin:.2rem 0 .6rem}
h3{font-size:1rem;margin:1.1rem 0 0}
section{background:var(--card);border:1px solid var(--edge);border-radius:12px;padding:1rem 1.1rem;margin:1rem 0}
.verdict{font-size:1.25rem;line-height:1.35;margin:.2rem 0 1rem}
.means,.legend,footer,small,.asked{color:var(--dim);font-size:.86rem;margin:.1rem 0}
.warning{border-left:4px solid var(--warn);padding:.1rem .8rem;margin:.5rem 0}
svg{width:100%;height:auto;display:block}
svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg .mark{font-size:11px;fill:var(--dim);text-anchor:middle}
svg .value{text-anchor:end}rect.ours{fill:var(--ours)}rect.theirs{fill:var(--theirs)}
.whisker{stroke:var(--ink);stroke-width:1.6}.axis{stroke:var(--dim);stroke-dasharray:3 3}
polyline.line{fill:none;stroke-width:2.4}polyline.ours{stroke:var(--ours)}polyline.theirs{stroke:var(--warn)}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .8em;background:var(--theirs)}
.key.ours{background:var(--ours)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
th{text-align:left;color:var(--dim);font-weight:500}td,th{padding:.45rem .5rem;vertical-align:top;
border-top:1px solid var(--edge);overflow-wrap:anywhere}td.ours{color:var(--ours)}
table.pairs{table-layout:fixed}
ul{padding-left:1.1rem}.figures{list-style:none;padding:0}dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem;margin:0}
dt{color:var(--dim)}dd{margin:0}q{quotes:none;font-weight:600}
button{font:inherit;padding:.7rem 1rem;border-radius:10px;border:1px solid var(--edge);background:var(--paper);color:var(--ink);
width:100%;text-align:left;margin:.3rem 0;cursor:pointer}button:hover,button:focus{border-color:var(--ours)}
code{overflow-wrap:anywhere}
@media(max-width:34rem){table.pairs tr{display:grid;grid-template-columns:1fr}table.pairs th{display:none}
table.pairs td{border:0;padding:.15rem 0}table.pairs tr{border-top:1px solid var(--edge);padding:.5rem 0}}
"""
