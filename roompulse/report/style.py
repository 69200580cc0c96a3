"""How does the page look: on a phone, on a wide screen, in the dark and on paper?

Nothing is fetched: the fonts are those of the reader's machine. Colours are those of the charts.
"""

from typing import Final

from roompulse.charts.svg import STYLE as OF_CHARTS

_HEAT = "".join(
    f".heat{at}{{background:color-mix(in srgb,var(--s2) {at * 8}%,var(--ground))}}"
    for at in range(10)
)

STYLE: Final = (
    OF_CHARTS
    + """\
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);line-height:1.5;font-size:15px;
font-family:system-ui,-apple-system,"Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",
"DejaVu Sans",sans-serif}
main,header,nav,footer{max-width:1240px;margin:0 auto;padding:0 16px}
header{padding-top:24px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:20px;margin:0 0 8px;padding-top:24px;border-top:1px solid var(--faint)}
h3{font-size:15px;margin:0 0 4px}
p{margin:4px 0 12px;max-width:75ch}
a{color:inherit;text-decoration:underline;text-decoration-color:var(--faint);
text-underline-offset:3px}
a:focus-visible,summary:focus-visible,.wide:focus-visible{outline:2px solid var(--s0)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;margin:8px 0 16px}
.soft,.note,footer{color:var(--soft);font-size:13px}
section{margin-bottom:28px}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));
gap:24px 32px;align-items:start}
.grid>*{min-width:0}
.wider{grid-column:1/-1}
figure{margin:0 0 16px;break-inside:avoid}
figcaption,caption{font-weight:600;text-align:left;margin-bottom:8px;caption-side:top}
caption{position:sticky;left:0;white-space:normal}
details{margin-top:8px}
summary{cursor:pointer;color:var(--soft);font-size:13px}
.wide{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px 3px 0;text-align:right;white-space:nowrap;vertical-align:top;
border-bottom:1px solid var(--faint);font-weight:400}
thead th{color:var(--soft);vertical-align:bottom}
.text{text-align:left}
.meaning{white-space:normal;min-width:26ch}.ids{white-space:normal;min-width:30ch}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(130px,1fr));gap:12px;
margin:8px 0 20px}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:0;font-size:18px;font-variant-numeric:tabular-nums}
.tiles .big dd{font-size:22px;font-weight:600}
.card{border-left:4px solid var(--s0);padding:2px 0 2px 14px;break-inside:avoid;
overflow-wrap:anywhere}
.card.page{border-color:var(--s4)}.card.review{border-color:var(--s1)}
.facts{list-style:none;padding:0;margin:0 0 10px;color:var(--soft);font-size:13px}
.cohorts td{padding:3px 6px}
@media print{body{font-size:11px}.wide{overflow:visible}nav{display:none}
.grid{grid-template-columns:1fr 1fr}h2{break-after:avoid}
table{font-size:9px}th,td{padding-right:5px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
    + _HEAT
)
