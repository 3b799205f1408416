/**
 * The one stylesheet of the page, as text, so that a bundle needs no files beside it.
 *
 * Light and dark come from `light-dark()`; the colours of the tones keep a contrast of at least
 * 4.5:1 on both grounds. Figures are tabular, so that numbers do not dance when they change.
 */
export const STYLESHEET: string = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f4f5f3, #0c0f12);
  --card: light-dark(#ffffff, #14191e);
  --line: light-dark(#dfe2de, #262d34);
  --text: light-dark(#16201c, #e6eaec);
  --quiet: light-dark(#5a655f, #93a0a8);
  --good: light-dark(#0b7a4b, #3ecf8e);
  --watch: light-dark(#9a5b00, #f5b041);
  --bad: light-dark(#b3261e, #ff6b62);
  --busy: light-dark(#1c5fc4, #6aa9ff);
  --unclear: light-dark(#5a655f, #93a0a8);
  --tint: light-dark(#eef1ee, #1b2228);
  --focus: light-dark(#1c5fc4, #8fc0ff);
  font: 15px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums slashed-zero;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, p, dl, dd, ol, ul { margin: 0; padding: 0; }
ol, ul { list-style: none; }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: .2em; }
a:hover { text-decoration-color: currentColor; }
code { font: .86em ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--tint);
  padding: .1em .4em; border-radius: 4px; white-space: nowrap; }
abbr { text-decoration: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .6rem; z-index: 3; background: var(--card); padding: .4rem .8rem; }
.quiet, .label, .none, dt { color: var(--quiet); }
.label, dt, th { font-size: .8rem; letter-spacing: .01em; }
.below { display: block; font-size: .8rem; }
.number, .numeric { font-variant-numeric: tabular-nums slashed-zero; }
.good { color: var(--good); } .watch { color: var(--watch); } .bad { color: var(--bad); }
.busy { color: var(--busy); } .unclear { color: var(--unclear); }

.banner { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center;
  gap: .3rem 1.6rem; padding: .7rem clamp(1rem, 3vw, 2.4rem); background: var(--card);
  border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .55rem; font-size: 1.1rem; font-weight: 650;
  letter-spacing: -.01em; }
.logo { width: 1.6rem; height: 1.6rem; fill: var(--card); stroke: currentColor; stroke-width: 2.6;
  stroke-linecap: round; }
.where { margin-right: auto; }
.badge { display: inline-block; font-size: .74rem; font-weight: 600; padding: .05rem .5rem;
  border: 1px solid var(--line); border-radius: 99px; color: var(--quiet); background: var(--tint);
  vertical-align: .08em; }
.badge.active { color: var(--card); background: var(--text); border-color: var(--text); }
.connection { color: var(--quiet); font-size: .86rem; }
.connection::before { content: "○"; margin-right: .4em; }
[data-connection="live"] .connection::before { content: "●"; color: var(--good); }
[data-connection="polling"] .connection::before { content: "◐"; color: var(--watch); }
[data-connection="lost"] .connection { color: var(--bad); font-weight: 600; }
[data-connection="lost"] .connection::before { content: "✕"; }
[data-connection="lost"] main { opacity: .55; }
.as-of time { font-weight: 600; font-variant-numeric: tabular-nums slashed-zero; }

main { display: grid; gap: 1.1rem; max-width: 100rem; margin: 0 auto;
  padding: 1.3rem clamp(1rem, 3vw, 2.4rem) 2rem; }
#services, #monitors { display: grid; gap: 1.1rem; }
.card, .overview { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.1rem 1.3rem; min-width: 0; }
.card > h2, .service-head h2 { font-size: 1.15rem; font-weight: 650; letter-spacing: -.01em; }
.card > h2 { margin-bottom: .7rem; }
.overview { display: grid; gap: 1rem; }
.summary { display: flex; align-items: center; gap: .7rem; font-size: clamp(1.4rem, 3vw, 2.1rem);
  font-weight: 650; letter-spacing: -.02em; line-height: 1.15; }
.summary span { color: var(--text); }
.summary.bad span { color: var(--bad); }

.mark { display: inline-flex; align-items: center; gap: .38em; font-weight: 600; white-space: nowrap; }
.shape { width: .82em; height: .82em; flex: none; fill: currentColor; }
.shape .hollow { fill: none; stroke: currentColor; stroke-width: 2.2; }

.facts { display: flex; flex-wrap: wrap; gap: .7rem 2.2rem; }
.facts > div { min-width: 6rem; max-width: 100%; }
.facts dd { line-height: 1.45; }
.consensus dd { font-size: 1.05rem; font-weight: 550; }
.members { display: inline-flex; flex-wrap: wrap; gap: 0 1rem; margin-left: 1rem; font-weight: 450;
  font-size: .92rem; }
.members .mark { font-weight: 500; }

.service { display: grid; gap: .9rem; border-left: 4px solid currentColor; }
.service > * { color: var(--text); }
.service .facts { display: grid; grid-template-columns: 12rem minmax(0, 1fr) minmax(0, 1fr);
  gap: .7rem 2rem; }
.service .facts > .whole { grid-column: 1 / -1; }
.service-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1.2rem; }
.dns { margin-left: auto; }
.scroll { overflow-x: auto; margin: 0 -1.3rem -.2rem; padding: 0 1.3rem .2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem 1.4rem .5rem 0;
  border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; padding-block: .2rem;
  white-space: nowrap; }
tbody th { font-size: inherit; font-weight: 450; }
.numeric { text-align: right; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
.sites { table-layout: fixed; min-width: 62rem; }
.sites thead th { white-space: normal; vertical-align: bottom; } .sites thead .quiet { display: block; }
.sites th:first-child { width: 15rem; } .sites th.numeric { width: 7.5rem; }
.site { font-weight: 650; white-space: nowrap; }
.address { display: block; font-size: .8rem; }
tr.active .site { text-decoration: underline; text-decoration-thickness: 2px;
  text-underline-offset: .25em; }
.alarm { display: block; }
.phi { font-weight: 600; }
.phi-bar { display: block; width: 5.5rem; height: 6px; margin: .3rem 0 0 auto; border-radius: 3px; }
.track { fill: var(--line); } .level { fill: currentColor; } .notch { fill: var(--quiet); }

.runs > li { border-top: 1px solid var(--line); }
.runs > li:first-child { border-top: 0; }
summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .8rem; padding: .55rem 0;
  cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: "▸"; color: var(--quiet); width: .8em; }
details[open] > summary::before { content: "▾"; }
summary .total { margin-left: auto; font-weight: 600; }
summary .total .quiet { font-weight: 450; }
details > :not(summary) { margin: 0 0 .7rem 1.6rem; }
.stage-bar { display: block; width: calc(100% - 1.6rem); height: 10px; border-radius: 5px; }
.stages { display: flex; flex-wrap: wrap; gap: .4rem 1.8rem; }
.stage dt::before { content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .4em;
  border-radius: 2px; background: var(--stage); }
.stage.total dt::before { display: none; }
.stage dd { font-weight: 600; }
.detect { --stage: light-dark(#8a5cc2, #b48ae8); } .decide { --stage: light-dark(#1c5fc4, #6aa9ff); }
.act { --stage: light-dark(#b0347a, #f288bd); } .propagate { --stage: light-dark(#c47b00, #f5b041); }
.verify { --stage: light-dark(#0b7a4b, #3ecf8e); }
rect.detect, rect.decide, rect.act, rect.propagate, rect.verify { fill: var(--stage); }
.steps { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; }

.events td { padding-block: .28rem; }
.events td:nth-child(-n+4) { white-space: nowrap; }
.events .sentence { width: 100%; min-width: 18rem; }
.empty p { margin-top: .4rem; }
.footer { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; justify-content: space-between;
  max-width: 100rem; margin: 0 auto; padding: 0 clamp(1rem, 3vw, 2.4rem) 2rem; color: var(--quiet);
  font-size: .86rem; }
.footer a { margin-left: 1rem; }
@media (min-width: 110rem) { :root { font-size: 17px; } }
@media (max-width: 48rem) {
  .where { margin-right: 0; } .dns { margin-left: 0; }
  .service .facts { grid-template-columns: minmax(0, 1fr); }
  .events thead { display: none; }
  .events tr { display: flex; flex-wrap: wrap; gap: .1rem .8rem; padding: .4rem 0;
    border-top: 1px solid var(--line); }
  .events td { border: 0; padding: 0; }
  .events .sentence { min-width: 0; }
}
@media print { .banner { position: static; } .card { break-inside: avoid; } }
`;

export const ICON: string = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#16201c"/><path d="M16 16V5M16 16 6.5 21.5M16 16l9.5 5.5" stroke="#3ecf8e" stroke-width="2.8" stroke-linecap="round"/><circle cx="16" cy="16" r="3.6" fill="#fff"/></svg>`;
