"""HTML frames: style only, no script, no network; ``{{title}}`` and ``{{body}}`` are filled in."""

from __future__ import annotations

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b1f24; --muted: #5d6773; --line: #d9dee4;
  --alarm: #b3261e; --caution: #8a5300; --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1216; --card: #181c22; --text: #e6e9ed; --muted: #9aa5b1; --line: #2c333c;
    --alarm: #ff8a80; --caution: #ffb454; --link: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 110rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 1.6rem; }
h2 { margin: 0 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
a { color: var(--link); }
.notice { margin: 0 0 1rem; padding: .5rem .8rem; border: 1px solid var(--caution); border-radius: .4rem;
  color: var(--caution); font-weight: 600; }
.wide { overflow-x: auto; margin: 1rem 0 1.5rem; }
table { border-collapse: collapse; min-width: 40rem; background: var(--card); font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
article { padding: .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
article img { display: block; width: 100%; height: auto; border-radius: .3rem; }
article details { margin: .4rem 0 0; font-size: .875rem; }
article p { margin: .4rem 0 0; overflow-wrap: anywhere; }
.alarm { color: var(--alarm); font-weight: 600; }
.caution { color: var(--caution); }
.small { color: var(--muted); font-size: .875rem; }
</style>
</head>
<body>
{{body}}
</body>
</html>
"""

#: One reading on one sheet of paper, A4 or Letter.
SHEET = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
@page { size: A4 landscape; margin: 9mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 90rem; background: #fff; color: #1b1f24;
  font: 13px/1.35 system-ui, sans-serif; }
h1 { margin: 0 0 .3rem; font-size: 1.2rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; overflow-wrap: anywhere; }
.notice { padding: .25rem .5rem; border: 1px solid #8a5300; color: #8a5300; font-weight: 600; }
.sheet { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 1rem; align-items: start; }
figure { margin: 0; }
.sheet img { display: block; max-width: 100%; max-height: 160mm; }
table { border-collapse: collapse; width: 100%; margin: .3rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .12rem .35rem; border: 1px solid #d9dee4; text-align: left; vertical-align: top; }
.alarm { color: #b3261e; font-weight: 600; }
.caution { color: #8a5300; }
.small { color: #5d6773; font-size: .85em; }
pre { white-space: pre-wrap; }
@media screen and (max-width: 50rem) {
  .sheet { grid-template-columns: 1fr; }
  table { display: block; overflow-x: auto; }
}
@media print { body { padding: 0; font-size: 7.5pt; } details { display: none; } }
</style>
</head>
<body>
{{body}}
</body>
</html>
"""
