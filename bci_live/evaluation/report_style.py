"""How the report looks: one style sheet, light and dark, and a policy that lets the page fetch nothing."""

HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
)

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1b1f27; --pale: #68707d; --line: #d9dde3; --paper: #fff; --band: #c9ced6; --point: #2e6fcc }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --pale: #98a0ad; --line: #343a45; --paper: #181a1f; --band: #444b57; --point: #7fb0ff }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 2.2rem; margin: .5rem 0 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem }
p { margin: .4rem 0 } .lead { font-size: 1.1rem } code { font-size: .75rem; color: var(--pale) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0 }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 500; color: var(--pale) } small { color: var(--pale) } td:not(:last-child) { white-space: nowrap }
.alarm { background: #b3261e; color: #fff; padding: .7rem 1rem; border-radius: 6px; font-weight: 600 }
.simulated { background: #8a5a00; color: #fff; padding: .5rem 1rem; border-radius: 6px }
.bar { display: inline-block; position: relative; width: 9rem; height: .9rem; border-bottom: 1px solid var(--line) }
.bar i { position: absolute; top: .1rem; height: .7rem; background: var(--band) }
.bar b { position: absolute; top: -.1rem; width: 3px; height: 1.1rem; background: var(--point) }
.grid { display: grid; grid-template-columns: repeat(auto-fill, 297px); gap: .8rem }
figure { margin: 0 } figure img { width: 96px; height: 96px; margin-right: 3px; image-rendering: auto }
figcaption { font-size: .8rem } .wrong figcaption { color: var(--pale) }
.confusion { font-size: .68rem } .confusion td, .confusion th { padding: .1rem .2rem; border: 0; text-align: center; min-width: 1rem }
.confusion th:first-child { text-align: right; padding-right: .5rem }
.turned { height: 5.5rem; vertical-align: bottom } .turned span { writing-mode: vertical-rl; transform: rotate(180deg) }
"""
