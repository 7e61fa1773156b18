extension Page {
  /// How every page looks: light and dark as the reader's system asks for, and on paper. Colour is never the only sign:
  /// before is dashed and hollow, after solid; what grew is hatched, and every change stands there as a signed number.
  static let style = #"""
    :root {
      color-scheme: light dark;
      --page: #ffffff; --ink: #1b1f24; --soft: #5a6470; --line: #dde2e8; --shade: #f5f7f9;
      --before: #6d7681; --after: #4a41c4; --quartiles: #6d768122; --quartiles-after: #4a41c41f;
      --good: #1a6f3c; --good-back: #e2f4e8; --bad: #a8340a; --bad-back: #fdeae0;
      --open: #7a5600; --open-back: #fdf3d8; --same: #414a55; --same-back: #eceff2;
      --m4: #17639c; --m4-ink: #ffffff; --m3: #5a9fd2; --m2: #9cc8e8; --m1: #d3e7f5; --z: #e8eaed;
      --p1: #fbe6d6; --p2: #f6bf95; --p3: #e98f5a; --p4: #b04410; --p4-ink: #ffffff; --box-ink: #14181c;
      --s0: #eceef1; --s1: #dedef4; --s2: #c5c3ee; --s3: #a7a2e6; --s4: #8982dc; --hatch: #0000001f;
      --gup: #4a41c4; --loop: #d98a29; --iommu: #2f9e8f; --unpin: #b0568b; --other: #8a929c;
    }
    @media (prefers-color-scheme: dark) { :root {
      --page: #15181c; --ink: #e6e9ed; --soft: #9aa5b1; --line: #333a42; --shade: #1d2126;
      --before: #aab4bf; --after: #9d97ff; --quartiles: #aab4bf2b; --quartiles-after: #9d97ff2e;
      --good: #7fd6a0; --good-back: #16331f; --bad: #ffa279; --bad-back: #3d2013;
      --open: #f0c75e; --open-back: #372c10; --same: #c3ccd6; --same-back: #2a3037;
      --m4: #1f76b4; --m4-ink: #ffffff; --m3: #24618e; --m2: #264d6b; --m1: #283b4b; --z: #2c3138;
      --p1: #43352b; --p2: #664329; --p3: #8d4e22; --p4: #b0501b; --p4-ink: #ffffff; --box-ink: #e9ecef;
      --s0: #2a2f36; --s1: #33345a; --s2: #413f7d; --s3: #5550a3; --s4: #6a63c4; --hatch: #ffffff24;
      --gup: #8f88f5; --loop: #e0a04e; --iommu: #4dbcab; --unpin: #cf7dac; --other: #98a1ab;
    } }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0 auto; padding: 28px 24px 48px; max-width: 1120px; background: var(--page); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
    }
    h1, h2, h3 { line-height: 1.25; margin: 0; font-weight: 650; }
    h1 { font-size: 27px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
    h2 { font-size: 20px; overflow-wrap: anywhere; }
    h3 { font-size: 15px; margin-bottom: 4px; }
    p { margin: 6px 0; }
    code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.93em; }
    .kicker { color: var(--soft); font-size: 13px; margin: 0 0 4px; }
    .soft { color: var(--soft); }
    header { padding-bottom: 18px; border-bottom: 1px solid var(--line); }
    header:has(.notes) { border-bottom: 0; padding-bottom: 0; }
    section { margin-top: 30px; }
    header + section:not(.function) { margin-top: 18px; }
    .charts + h3 { margin-top: 30px; }
    figure .notes { margin-top: 10px; }
    section.function { padding-top: 26px; border-top: 1px solid var(--line); }
    .badge {
      display: inline-block; padding: 1px 10px 2px; border-radius: 999px; font-size: 0.72em; font-weight: 600;
      vertical-align: 0.12em; white-space: nowrap; background: var(--same-back); color: var(--same);
    }
    td .badge, .line .badge { font-size: 12.5px; vertical-align: 0; }
    .badge.faster, .badge.holds { background: var(--good-back); color: var(--good); }
    .badge.slower, .badge.fails, .badge.error { background: var(--bad-back); color: var(--bad); }
    .badge.unclear, .badge.undecided { background: var(--open-back); color: var(--open); }
    .claim { font-size: 17px; margin: 10px 0 2px; }
    .claim b { font-size: 23px; font-weight: 650; }
    .sides { display: grid; grid-template-columns: auto 1fr; gap: 2px 14px; margin: 14px 0 0; }
    .sides dt { font-weight: 600; }
    .sides dd { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
    .key { display: inline-block; width: 22px; height: 0; border-top: 3px solid var(--after); vertical-align: 4px; margin-right: 7px; }
    .key.before { border-top: 3px dashed var(--before); }
    .notes { list-style: none; margin: 14px 0 0; padding: 0; font-size: 14px; }
    .notes li { padding: 5px 0 5px 84px; text-indent: -84px; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
    .notes li:last-child { border-bottom: 1px solid var(--line); }
    .notes b { display: inline-block; width: 84px; text-indent: 0; font-weight: 600; color: var(--soft); }
    .notes .warning b { color: var(--open); }
    .scroll { overflow-x: auto; margin: 12px 0; }
    .scroll.window { max-height: 560px; overflow-y: auto; border-bottom: 1px solid var(--line); }
    .scroll.window thead th { position: sticky; top: 0; background: var(--page); }
    .scroll:focus-visible { outline: 2px solid var(--after); outline-offset: 2px; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; min-width: 100%; }
    caption { text-align: left; color: var(--soft); font-size: 13px; padding: 0 0 4px; }
    th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; white-space: nowrap; font-weight: 400; }
    thead th { color: var(--soft); font-size: 12.5px; font-weight: 600; }
    th.n, td.n { text-align: right; }
    th:last-child, td:last-child { padding-right: 2px; }
    tbody th { font-weight: 500; }
    .files tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 170px; }
    .files th, .files td { padding-right: 11px; }
    td.wrap { white-space: normal; overflow-wrap: anywhere; }
    .none { color: var(--soft); }
    thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
    thead button::after { content: "\2195"; opacity: 0.45; margin-left: 3px; }
    th[aria-sort="ascending"] button::after { content: "\2191"; opacity: 1; }
    th[aria-sort="descending"] button::after { content: "\2193"; opacity: 1; }
    .filter { font: inherit; font-size: 14px; padding: 4px 10px; margin-top: 10px; width: min(320px, 100%); border: 1px solid var(--line); border-radius: 6px; background: var(--page); color: inherit; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); gap: 22px 30px; margin-top: 18px; }
    figure { margin: 0; min-width: 0; }
    figure.wide { grid-column: 1 / -1; }
    figcaption { font-size: 13px; color: var(--soft); margin-bottom: 8px; }
    figcaption b { display: block; font-size: 15px; font-weight: 650; color: var(--ink); }
    svg { display: block; }
    svg.plot { width: calc(100% - 78px); margin: 0 14px 0 64px; overflow: visible; }
    svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
    svg text.value { fill: var(--ink); font-weight: 600; }
    svg text.lane { fill: var(--ink); font-size: 13px; }
    svg text.title { font-size: 12px; }
    .grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
    .axis { stroke: var(--soft); stroke-width: 1; shape-rendering: crispEdges; }
    .dot { fill: var(--after); fill-opacity: 0.55; stroke: var(--after); stroke-width: 1; }
    .dot.before { fill: var(--page); fill-opacity: 0.4; stroke: var(--before); stroke-width: 1.5; }
    .dots { fill: none; stroke: var(--after); stroke-width: 4; stroke-linecap: round; stroke-opacity: 0.42; vector-effect: non-scaling-stroke; }
    .dots.before { stroke: var(--before); }
    .dots.many { stroke-width: 2.5; stroke-opacity: 0.3; }
    .quartiles { fill: var(--quartiles-after); }
    .quartiles.before { fill: var(--quartiles); }
    .median { stroke: var(--after); stroke-width: 2; }
    .median.before { stroke: var(--before); }
    .interval { stroke: var(--after); stroke-width: 5; }
    .interval.before { stroke: var(--before); }
    .run { fill: var(--after); stroke: var(--page); stroke-width: 1; }
    .run.before { fill: var(--before); }
    .line { fill: none; stroke: var(--after); stroke-width: 2; vector-effect: non-scaling-stroke; }
    .line.before { stroke: var(--before); stroke-dasharray: 6 3; }
    .trend { fill: none; stroke: var(--after); stroke-width: 2; vector-effect: non-scaling-stroke; }
    .trend.before { stroke: var(--before); }
    .bar { fill: var(--after); fill-opacity: 0.7; }
    .ratio .band { fill: var(--same-back); }
    .ratio .one { stroke: var(--soft); stroke-width: 1; }
    .ratio .gate { stroke: var(--open); stroke-width: 1.5; stroke-dasharray: 3 2; }
    .ratio .reach { stroke: var(--after); stroke-width: 1.5; }
    .ratio .sure { stroke: var(--after); stroke-width: 5; }
    .ratio .estimate { fill: var(--page); stroke: var(--after); stroke-width: 2; }
    svg.small { width: 100%; min-width: 140px; overflow: visible; }
    .bars th, .bars td { border: 0; padding: 4px 12px 4px 0; vertical-align: middle; }
    .bars td.track { width: 60%; min-width: 160px; padding-right: 0; }
    .bars thead th { padding-bottom: 6px; }
    .bars svg { width: 100%; overflow: visible; }
    .measured { fill: var(--before); }
    .predicted { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 4 3; }
    .whisker { stroke: var(--ink); stroke-width: 1.5; }
    .gup { fill: var(--gup); background: var(--gup); } .loop { fill: var(--loop); background: var(--loop); }
    .iommu { fill: var(--iommu); background: var(--iommu); } .unpin { fill: var(--unpin); background: var(--unpin); }
    .other { fill: var(--other); background: var(--other); }
    .swatch { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin: 0 5px 0 12px; vertical-align: -1px; }
    .icicle { margin-top: 6px; }
    .controls { font-size: 13px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; }
    .controls[hidden], [hidden] { display: none; }
    .controls button { font: inherit; color: var(--ink); background: var(--shade); border: 1px solid var(--line); padding: 1px 10px; border-radius: 6px; cursor: pointer; }
    .choice button { border-radius: 0; margin-left: -1px; }
    .choice button:first-child { border-radius: 6px 0 0 6px; }
    .choice button:last-child { border-radius: 0 6px 6px 0; }
    button[aria-pressed="true"] { background: var(--after); border-color: var(--after); color: var(--page); }
    .boxes { position: relative; overflow: hidden; }
    .box {
      background-color: var(--z); color: var(--box-ink); font-size: 12px; line-height: 22px; white-space: nowrap;
      overflow: hidden; text-overflow: ellipsis; print-color-adjust: exact; -webkit-print-color-adjust: exact;
    }
    .boxes .box { position: absolute; height: 22px; padding: 0 4px; border-right: 1px solid var(--page); cursor: default; }
    .boxes .box.thin { padding: 0; border-right: 0; }
    .box.rest { background-color: transparent; box-shadow: inset 0 0 0 1px var(--line); color: var(--soft); }
    .live .boxes .box { cursor: pointer; }
    .boxes .box:hover, .boxes .box:focus-visible { outline: 2px solid var(--ink); outline-offset: -2px; z-index: 1; }
    .boxes .box.above { opacity: 0.55; }
    .box b { font-weight: 600; opacity: 0.85; margin-left: 3px; }
    .m4 { background-color: var(--m4); color: var(--m4-ink); } .m3 { background-color: var(--m3); }
    .m2 { background-color: var(--m2); } .m1 { background-color: var(--m1); }
    .p1 { background-color: var(--p1); } .p2 { background-color: var(--p2); } .p3 { background-color: var(--p3); }
    .p4 { background-color: var(--p4); color: var(--p4-ink); }
    .p1, .p2, .p3, .p4 { background-image: repeating-linear-gradient(135deg, var(--hatch) 0 1.5px, transparent 1.5px 6px); }
    .s0 { background-color: var(--s0); } .s1 { background-color: var(--s1); } .s2 { background-color: var(--s2); }
    .s3 { background-color: var(--s3); } .s4 { background-color: var(--s4); }
    .detail { min-height: 21px; font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
    .legend { font-size: 12px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
    .legend .box { padding: 0 7px; line-height: 19px; }
    details { margin-top: 10px; }
    summary { cursor: pointer; font-size: 14px; color: var(--soft); }
    footer { margin-top: 40px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
    .command { display: block; padding: 9px 12px; background: var(--shade); border-radius: 6px; overflow-wrap: anywhere; white-space: pre-wrap; }
    @media (max-width: 640px) {
      body { padding: 18px 14px 36px; }
      h1 { font-size: 22px; }
      svg.plot { width: calc(100% - 66px); margin: 0 8px 0 58px; }
      .plot .odd { display: none; }
      .notes li { padding-left: 0; text-indent: 0; }
      .notes b { width: auto; margin-right: 8px; }
      .bars td.track { min-width: 80px; width: 40%; }
      .sides { display: block; }
      .sides dd { margin-bottom: 6px; }
    }
    @media print {
      :root {
        --page: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc; --shade: #f2f2f2; --before: #666666; --after: #3a32a8;
        --quartiles: #66666622; --quartiles-after: #3a32a81f; --good: #1a6f3c; --good-back: #e2f4e8; --bad: #a8340a;
        --bad-back: #fdeae0; --open: #6b4a00; --open-back: #fdf3d8; --same: #333333; --same-back: #eceff2;
        --m4: #17639c; --m4-ink: #ffffff; --m3: #5a9fd2; --m2: #9cc8e8; --m1: #d3e7f5; --z: #e8eaed; --p1: #fbe6d6;
        --p2: #f6bf95; --p3: #e98f5a; --p4: #b04410; --p4-ink: #ffffff; --box-ink: #000000; --hatch: #0000001f;
        --s0: #eceef1; --s1: #dedef4; --s2: #c5c3ee; --s3: #a7a2e6; --s4: #8982dc;
        --gup: #4a41c4; --loop: #d98a29; --iommu: #2f9e8f; --unpin: #b0568b; --other: #8a929c;
      }
      body { max-width: none; padding: 0; font-size: 10.5pt; }
      .controls, .filter, .detail, thead button::after { display: none; }
      figure, tr, .notes li { break-inside: avoid; }
      h2, h3, figcaption, caption { break-after: avoid; }
      .scroll, .scroll.window { overflow: visible; max-height: none; border: 0; }
      th, td { padding: 3px 8px 3px 0; white-space: normal; }
      .bars th, .bars td { white-space: nowrap; }
      .charts { grid-template-columns: 1fr 1fr; gap: 14px 20px; }
      figure:has(table) { break-inside: auto; }
      section { margin-top: 20px; }
      .scroll.window thead th { position: static; }
      .badge, .swatch, .gup, .loop, .iommu, .unpin, .other { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }

    """#
}
