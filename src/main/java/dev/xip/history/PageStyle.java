package dev.xip.history;

/** The style of the page: light or dark as the reader's system is, and narrow on a phone. */
final class PageStyle {
  static final String CSS =
      """
      :root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1d2126; --soft: #5b6470;
        --line: #d6d9dd; --field: #f1f2ef; --mark: #c2410c; --onmark: #ffffff; --unmark: #fbe3d4;
        --ram: #cfe2f6; --seg: #d3ecd8; --set: #e2e5e9; --bar: #8896a8; --bad: #b4232a;
        --badfield: #fbecec; --good: #22703f; --link: #1f5fa8; }
      @media (prefers-color-scheme: dark) { :root { --paper: #15181c; --ink: #e4e7ea; --soft: #9aa4af;
        --line: #353c44; --field: #1e2328; --mark: #f08a4b; --onmark: #1b1009; --unmark: #46301f;
        --ram: #21405f; --seg: #23472e; --set: #363e47; --bar: #6d7b8c; --bad: #ff8b85;
        --badfield: #2e1d1e; --good: #7fd09a; --link: #8ab8ef; } }
      * { box-sizing: border-box; }
      body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--paper);
        color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
        overflow-wrap: break-word; }
      h1 { font-size: 1.9rem; line-height: 1.2; margin: .5rem 0 1rem; text-wrap: balance; }
      h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .4rem; text-wrap: balance; }
      h3 { font-size: 1.05rem; margin: 2rem 0 .3rem; }
      p { margin: .6rem 0; }
      a { color: var(--link); }
      code, pre, .hex { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
      code { font-size: .88em; }
      .small, .mails, .date, figcaption, caption, summary, footer { color: var(--soft); font-size: .88rem; }
      .date { margin: 0 0 .1rem; text-transform: uppercase; letter-spacing: .05em; font-size: .78rem; }
      .mails { margin: 0 0 .8rem; padding: 0; list-style: none; }
      nav ol { list-style: none; margin: 1.5rem 0; padding: 0; border-left: 3px solid var(--line); }
      nav li { padding: .2rem 0 .2rem .9rem; }
      nav a { display: grid; grid-template-columns: 10.5rem 1fr; text-decoration: none; }
      nav a:hover { text-decoration: underline; }
      nav span { color: var(--soft); font-size: .88rem; }
      section { border-top: 1px solid var(--line); margin-top: 2.6rem; padding-top: 1.6rem; }
      figure { margin: 1.2rem 0; }
      svg { display: block; width: 100%; max-width: 38rem; height: auto; }
      ul.facts { list-style: none; margin: .6rem 0; padding: 0; }
      ul.facts li { padding: .22rem 0 .22rem 1.6rem; position: relative; }
      ul.facts li::before { content: "\\2713"; position: absolute; left: .2rem; color: var(--good); }
      ul.facts li.seen::before { content: "\\2013"; color: var(--soft); }
      ul.facts li.wrong::before { content: "\\2717"; color: var(--bad); }
      .broken { border-left: 4px solid var(--bad); background: var(--badfield); margin: 1rem 0;
        padding: .5rem .9rem; }
      .broken p { margin: .2rem 0; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; font-size: .82rem;
        line-height: 1.45; }
      .wide { overflow-x: auto; }
      table { border-collapse: collapse; margin: .8rem 0; font-size: .92rem; }
      caption { text-align: left; padding-bottom: .3rem; }
      th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line);
        vertical-align: top; font-weight: normal; }
      thead th { color: var(--soft); font-size: .84rem; }
      td.wrong { color: var(--bad); font-weight: 600; }
      td.wrong small { font-weight: normal; }
      .today { background: var(--field); border-radius: 4px; padding: .6rem .9rem; margin-top: 1.4rem; }
      details p { font-size: .8rem; }
      svg text { fill: var(--ink); font: 12px system-ui, "DejaVu Sans", sans-serif; }
      svg .hex { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
      svg .note { font-size: 11px; fill: var(--soft); }
      svg .tiny { font-size: 9.5px; fill: var(--soft); }
      svg .cap { font-weight: 600; }
      svg .name { font-size: 11px; }
      svg .box { fill: var(--paper); stroke: var(--soft); stroke-width: 1; }
      svg .set { fill: var(--set); }
      svg .pfn { fill: var(--field); }
      svg .unmarked { fill: var(--unmark); stroke: var(--mark); }
      svg .mark { fill: var(--mark); stroke: var(--mark); }
      svg .onmark { fill: var(--onmark); font-weight: 700; }
      svg .ram { fill: var(--ram); }
      svg .seg { fill: var(--seg); }
      svg .arrow, svg .shackle { fill: none; stroke: var(--soft); stroke-width: 1.3; }
      svg .shackle { stroke: var(--bad); stroke-width: 2; }
      svg .lock { fill: var(--bad); }
      svg .bar { fill: var(--bar); }
      svg .bitbar { fill: var(--mark); }
      @media (max-width: 34rem) { nav a { display: block; } nav span { display: block; }
        nav li { padding-bottom: .5rem; } h1 { font-size: 1.5rem; }
        svg .note { font-size: 12px; } svg .tiny { font-size: 11px; } }
      @media print { summary { display: none; } details::details-content { content-visibility: visible;
        display: block; } figure, .broken, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } }
      """;

  private PageStyle() {}
}
