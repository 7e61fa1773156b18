extension Snippet {
  /// `trace-cmd report` with its options.
  static let report = [
    Snippet(
      "plain",
      """
      cpus=2
               vfiomap-330   [001]    33.202490: funcgraph_entry:                   |  vfio_pin_map_dma() {
               vfiomap-330   [001]    33.202512: funcgraph_entry:      + 21.492 us  |    alloc_pages_noprof();
               vfiomap-330   [001]    33.202785: funcgraph_entry:        1.682 us   |    b();
               vfiomap-330   [001]    33.202544: funcgraph_exit:       + 34.782 us  |  }
      """,
      [
        "entry vfio_pin_map_dma cpu=1 task=vfiomap-330 depth=0 at=33202490000",
        "leaf alloc_pages_noprof cpu=1 task=vfiomap-330 depth=1 at=33202512000 21492/1",
        "leaf b cpu=1 task=vfiomap-330 depth=1 at=33202785000 1682/1",
        "exit cpu=1 task=vfiomap-330 depth=0 at=33202544000 34782/1",
      ]),
    Snippet(
      "long durations",
      "vfiomap-248 [000] 254.592395: funcgraph_entry:      # 424713.368 us |  a();\n"
        + "vfiomap-248 [000] 254.762678: funcgraph_entry:      $ 2085440 us |  b();\n",
      [
        "leaf a cpu=0 task=vfiomap-248 depth=0 at=254592395000 424713368/1",
        "leaf b cpu=0 task=vfiomap-248 depth=0 at=254762678000 2085440000/1000",
      ]),
    Snippet(
      "-l",
      "  vfiomap-327     1...1.    42.910119: funcgraph_entry:                   |  a() {\n"
        + "  vfiomap-327    12d.h3.    42.910141: funcgraph_entry:      + 24.447 us  |    b();\n",
      [
        "entry a cpu=1 task=vfiomap-327 depth=0 at=42910119000",
        "leaf b cpu=12 task=vfiomap-327 depth=1 at=42910141000 24447/1",
      ]),
    Snippet(
      "flags between CPU and time",
      "            mount-561   [007] ...1.   240.180514: funcgraph_exit:         0.193 us   |    } (ret=0x1)",
      ["exit cpu=7 task=mount-561 depth=1 at=240180514000 193/1"]),
    Snippet(
      "-t",
      "   vfiomap-327   [001]    42.910140740: funcgraph_entry:      + 24.447 us  |      b();",
      ["leaf b cpu=1 task=vfiomap-327 depth=2 at=42910140740 24447/1"]),
    Snippet(
      "--ts-diff",
      "   vfiomap-327   [001]    42.910119:          funcgraph_entry:                   |  a() {\n"
        + "   vfiomap-327   [001]    42.910138: (+19)    funcgraph_entry:                   |    b() {\n",
      [
        "entry a cpu=1 task=vfiomap-327 depth=0 at=42910119000",
        "entry b cpu=1 task=vfiomap-327 depth=1 at=42910138000",
      ]),
    Snippet(
      "-R",
      """
      vfiomap-327   [001]    42.910119: funcgraph_entry:       func=vfio_pin_map_dma depth=0 args=ARRAY[]
      vfiomap-327   [001]    42.910170: funcgraph_exit:        func=a.part.0 depth=2 overrun=0 calltime=9fda4c854 rettime=9fda527d3
      vfiomap-327   [001]    42.910170: funcgraph_exit:        func=0xffffffff81234567 depth=1 overrun=0 calltime=0x10 rettime=0x1a
      vfiomap-327   [001]    42.910170: fgraph_retaddr_entry:  func=b depth=3 retaddr=0xffffffff81234567
      """,
      [
        "entry vfio_pin_map_dma cpu=1 task=vfiomap-327 depth=0 at=42910119000",
        "exit a.part.0 cpu=1 task=vfiomap-327 depth=2 at=42910170000 24447/1",
        "exit 0xffffffff81234567 cpu=1 task=vfiomap-327 depth=1 at=42910170000 10/1",
        "entry b cpu=1 task=vfiomap-327 depth=3 at=42910170000",
      ]),
    Snippet(
      "-N",
      "v-3 [001] 42.910119: funcgraph_entry:      --> vfio_pin_map_dma (0)\n"
        + "v-3 [001] 42.910170: funcgraph_exit:       <-- a (2) (start: 9fda4c854  end: 9fda527d3) over: 2\n",
      [
        "entry vfio_pin_map_dma cpu=1 task=v-3 depth=0 at=42910119000",
        "exit a cpu=1 task=v-3 depth=2 at=42910170000 24447/1",
      ]),
    Snippet(
      "-O fgraph:tailprint -O fgraph:depth",
      """
      v-3   [001]    42.910119: funcgraph_entry:                   |  a() { (0)
      v-3   [001]    42.910141: funcgraph_entry:      + 24.447 us  |      b(); (2)
      v-3   [001]    42.910176: funcgraph_exit:       + 38.698 us  |    } /* get_free_pages_noprof */ (1)
      """,
      [
        "entry a cpu=1 task=v-3 depth=0 at=42910119000",
        "leaf b cpu=1 task=v-3 depth=2 at=42910141000 24447/1",
        "exit get_free_pages_noprof cpu=1 task=v-3 depth=1 at=42910176000 38698/1",
      ]),
    Snippet(
      "buffers",
      """
      inst1:          vfiomap-1313  [001]   355.599727: funcgraph_entry:      + 47.771 us  |    a();
                      vfiomap-1313  [001]   355.753223: funcgraph_entry:      + 47.771 us  |    b();
      in 2:       kworker/0:1-1313  [001]   355.753223: funcgraph_entry:      + 47.771 us  |    c();
      inst1:          vfiomap-1313  [001]   355.599727: sched_switch:         trace-cmd:1313 [120] R ==> x:1312 [120]
      """,
      [
        "leaf a buffer=inst1 cpu=1 task=vfiomap-1313 depth=1 at=355599727000 47771/1",
        "leaf b cpu=1 task=vfiomap-1313 depth=1 at=355753223000 47771/1",
        "leaf c buffer=in 2 cpu=1 task=kworker/0:1-1313 depth=1 at=355753223000 47771/1",
      ]),
    Snippet(
      "clock x86-tsc",
      "         vfiomap-2299  [000]2201790485309: funcgraph_entry:      + 30.836 us  |    a();",
      ["leaf a cpu=0 task=vfiomap-2299 depth=1 raw=2201790485309 30836/1"]),
    Snippet(
      "clock counter",
      "         vfiomap-2346  [000]           4: funcgraph_entry:                   |  a() {",
      ["entry a cpu=0 task=vfiomap-2346 depth=0 raw=4"]),
    Snippet(
      "task names of anything",
      """
      Web Content-4711  [003]     1.000001: funcgraph_entry:        1.000 us   |  a();
      kworker/u8:3-x [2]-99  [003]     1.000001: funcgraph_entry:        1.000 us   |  b();
      <...>-12    [003]     1.000001: funcgraph_entry:        1.000 us   |  c();
      <idle>-0     [003]     1.000001: funcgraph_entry:        1.000 us   |  d();
      1234-56 [001] 2.5:-77   [003]     1.000001: funcgraph_entry:        1.000 us   |  e();
      a: b-7   [003]     1.000001: funcgraph_entry:        1.000 us   |  f();
      as we all see in here: kworker/0:1H-8   [003]     1.000001: funcgraph_entry:        1.000 us   |  g();
      """,
      [
        "leaf a cpu=3 task=Web Content-4711 depth=0 at=1000001000 1000/1",
        "leaf b cpu=3 task=kworker/u8:3-x [2]-99 depth=0 at=1000001000 1000/1",
        "leaf c cpu=3 task=<...>-12 depth=0 at=1000001000 1000/1",
        "leaf d cpu=3 task=<idle>-0 depth=0 at=1000001000 1000/1",
        "leaf e cpu=3 task=1234-56 [001] 2.5:-77 depth=0 at=1000001000 1000/1",
        "leaf f cpu=3 task=a: b-7 depth=0 at=1000001000 1000/1",
        "leaf g cpu=3 task=kworker/0:1H-8 depth=0 at=1000001000 1000/1",
      ]),
    Snippet(
      "thread group",
      "   bash-1234  ( 1230) [002] d..1.   1.000001: funcgraph_entry:        1.000 us   |  a();\n"
        + "   bash-1234  (-----) [002] .....   1.000001: funcgraph_entry:        1.000 us   |  b();\n",
      [
        "leaf a cpu=2 task=bash-1234 depth=0 at=1000001000 1000/1",
        "leaf b cpu=2 task=bash-1234 depth=0 at=1000001000 1000/1",
      ]),
    Snippet(
      "return values",
      "v-3 [001] 1.000001: funcgraph_entry:        6.538 us   |    dma_alloc_from_dev_coherent(); (ret=0x0)\n"
        + "v-3 [001] 1.000002: funcgraph_exit:       + 16.230 us  |            } (ret=0x0)\n",
      [
        "leaf dma_alloc_from_dev_coherent cpu=1 task=v-3 depth=1 at=1000001000 6538/1",
        "exit cpu=1 task=v-3 depth=5 at=1000002000 16230/1",
      ]),
    Snippet(
      "other events",
      """
      vfiomap-1547  [001]   471.893354: mm_page_alloc:        page=0x1 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO
      trace-cmd-1545  [000]   471.897693: local_timer_entry:    vector=236
      trace-cmd-1545  [000]   471.897917: sched_switch:         trace-cmd:1545 [120] R ==> a:1546 [120]
      kworker/2:0-26    [002]   551.962874: bprint:               addr_resolve: resolve_neigh=true
      vfiomap-1844    [001] .....   598.353692: vfio_fops_open <-misc_open
      """,
      []),
    Snippet(
      "what cannot be read is said",
      "v-3 [001] 1.000001: funcgraph_entry:        6.538 us   |    12 monkeys\n"
        + "v-3 [001] 1.000001: funcgraph_entry:        6.538 us   |    a();\n",
      ["leaf a cpu=1 task=v-3 depth=1 at=1000001000 6538/1"], unreadable: 1),
  ]
}
