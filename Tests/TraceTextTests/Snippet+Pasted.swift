extension Snippet {
  /// Lines as people paste them and mailers leave them.
  static let pasted = [
    Snippet(
      "the commit message",
      """
      Before this patch:
      funcgraph_entry:      # 33813.703 us |  vfio_pin_map_dma();

      After this patch:
      funcgraph_entry:      # 15635.055 us |  vfio_pin_map_dma();
      """,
      [
        "heading before", "leaf vfio_pin_map_dma depth=0 33813703/1", "heading after",
        "leaf vfio_pin_map_dma depth=0 15635055/1",
      ]),
    Snippet(
      "the duration alone",
      "# 33813.703 us |  vfio_pin_map_dma();\n#33813.70 us |  a();\n33813.7 us |  b();\n  $ 7062971 us | c();\n",
      [
        "leaf vfio_pin_map_dma depth=0 33813703/1", "leaf a depth=0 33813700/10",
        "leaf b depth=0 33813700/100",
        "leaf c depth=-1 7062971000/1000",
      ]),
    Snippet(
      "blanks joined",
      "funcgraph_entry: # 33813.703 us | vfio_pin_map_dma();\nfuncgraph_exit: ! 242.655 us | }\n",
      ["leaf vfio_pin_map_dma depth=-1 33813703/1", "exit depth=-1 242655/1"]),
    Snippet(
      "no task, but a time",
      ">>> 1072.028308: funcgraph_entry:                   |  dma_map_sg_attrs() {\n"
        + ">>> 1072.028309: funcgraph_entry:        0.280 us   |    find_domain();\n",
      ["entry dma_map_sg_attrs depth=0 at=1072028308000", "leaf find_domain depth=1 at=1072028309000 280/1"]),
    Snippet(
      "quoted by bars",
      "| 1) + 12.000 us   |  a();\n| # 33813.703 us |  b();\n| |  1) + 12.000 us   |    c();\n",
      ["leaf a cpu=1 depth=0 12000/1", "leaf b depth=0 33813703/1", "leaf c cpu=1 depth=1 12000/1"]),
    Snippet(
      "Markdown",
      """
      ```
       0) + 12.000 us   |  a();
      ```
          0) + 12.000 us   |  b();
      | 0) + 12.000 us   |  c(); |
      - # 33813.703 us |  d();
      * # 33813.703 us |  e();
      `funcgraph_entry: # 33813.703 us |  f();`
      """,
      [
        "leaf a cpu=0 depth=0 12000/1", "leaf b cpu=0 depth=0 12000/1", "leaf c cpu=0 depth=0 12000/1",
        "leaf d depth=0 33813703/1", "leaf e depth=0 33813703/1", "leaf f depth=0 33813703/1",
      ]),
    Snippet(
      "diff marks",
      """
      - 0) + 12.000 us   |  a();
      + 0) + 13.000 us   |  a();
      -  0)   14.000 us   |  a();
      +vfio-3 [001] 1.000001: funcgraph_entry:        1.000 us   |  b();
      +        vfio-3 [001] 1.000001: funcgraph_entry:        1.000 us   |  b();
      -        vfio-3 [001] 1.000001: funcgraph_entry:        2.000 us   |  b();
      """,
      [
        "leaf a cpu=0 depth=0 12000/1", "leaf a cpu=0 depth=0 13000/1", "leaf a cpu=0 depth=0 14000/1",
        "leaf b cpu=1 task=vfio-3 depth=0 at=1000001000 1000/1",
        "leaf b cpu=1 task=vfio-3 depth=0 at=1000001000 1000/1",
        "leaf b cpu=1 task=vfio-3 depth=0 at=1000001000 2000/1",
      ]),
    Snippet(
      "HTML",
      "&gt; 0) + 12.000 us   |&nbsp; a();\n&gt;&gt;  0)   &lt;idle&gt;-0    |   1.463 us    |  b(s=&#34;x&quot;);\n",
      ["leaf a cpu=0 depth=0 12000/1", "leaf b cpu=0 task=<idle>-0 depth=0 1463/1"]),
    Snippet(
      "no-break spaces",
      "\u{A0}0) + 12.000 us\u{A0} |\u{A0}\u{A0}a();\n",
      ["leaf a cpu=0 depth=0 12000/1"]),
    Snippet(
      "side by side",
      """
       0) + 12.000 us   |  a();                ||  133) + 13.000 us   |  b();
       0)               |  c() {               ||
                                               ||  133)               |    d() {
       0)   1.000 us    |  }                   ||  133)   ==========> |
       0)    <idle>-0    =>   rcu-15           ||  133)   rcu-15   =>    a-16
       ....                                    ||  133) ! 313.000 us   |    }
      """,
      [
        "leaf a cpu=0 depth=0 12000/1", "leaf b column=1 cpu=133 depth=0 13000/1", "entry c cpu=0 depth=0",
        "entry d column=1 cpu=133 depth=1", "exit cpu=0 depth=0 1000/1", "switch <idle>-0 => rcu-15 cpu=0",
        "switch rcu-15 => a-16 column=1 cpu=133", "exit column=1 cpu=133 depth=1 313000/1",
      ]),
    Snippet(
      "elided",
      """
       0)               |  a() {
       ....
       0)   ....
       0)               |    ....
       0)               |    [...]
      [...]
       ...
       0)   1.000 us    |  } ....
      <snip>
      """,
      ["entry a cpu=0 depth=0", "exit cpu=0 depth=0 1000/1"]),
    Snippet(
      "wrapped behind the mark",
      """
      >    kworker/u13:0-199   [003]   348.987306: funcgraph_entry:      #
      > 6219.500 us |  mwifiex_pm_wakeup_card();
        irq/68-dwc3-725   [000]   514.575337: funcgraph_entry:      # 
      2079.480 us |  gether_disconnect();
      > >  3) #
      > > 6219.500 us |    a();
      """,
      [
        "leaf mwifiex_pm_wakeup_card cpu=3 task=kworker/u13:0-199 depth=0 at=348987306000 6219500/1",
        "leaf gether_disconnect cpu=0 task=irq/68-dwc3-725 depth=0 at=514575337000 2079480/1",
        "leaf a cpu=3 depth=1 6219500/1",
      ]),
    Snippet(
      "wrapped behind the duration, the unit, the bar",
      """
      funcgraph_entry:      # 33813.703
      us |  a();
      funcgraph_entry:      # 33813.703 us
      |  b();
      funcgraph_entry:      # 33813.703 us |
      c();
      # 33813.703 us
      > |  d();
       1) + 12.000 us   |
      e();
       1)               |
      f() {
      """,
      [
        "leaf a depth=0 33813703/1", "leaf b depth=0 33813703/1", "leaf c depth=-1 33813703/1",
        "leaf d depth=0 33813703/1", "leaf e cpu=1 depth=-1 12000/1", "entry f cpu=1 depth=-1",
      ]),
    Snippet(
      "wrapped in front of the name and of the brace",
      """
      > >     a.out-4877  [000]  1485.266115: funcgraph_entry: |    walk_page_range()
      > > {
      > >     a.out-4877  [000]  1485.266116: funcgraph_entry: |
      > > __walk_page_range() {
      """,
      [
        "entry walk_page_range cpu=0 task=a.out-4877 depth=1 at=1485266115000",
        "entry __walk_page_range cpu=0 task=a.out-4877 depth=-1 at=1485266116000",
      ]),
    Snippet(
      "return values in the next line",
      """
      > funcgraph_entry:        5.539 us   |            fs_reclaim_acquire();
      > (ret=0xffffff80c7dcd580)
      > funcgraph_entry:        5.077 us   |
      > __next_zones_zonelist(); (ret=0xffffffd055d598e0)
      > funcgraph_exit:       + 16.923 us  |              } (ret=0x1)
      """,
      [
        "leaf fs_reclaim_acquire depth=5 5539/1", "leaf __next_zones_zonelist depth=-1 5077/1",
        "exit depth=6 16923/1",
      ]),
    Snippet(
      "arguments over several lines",
      " 0)               |  iommu_map(domain=0xff110000052abaa0, iova=0x100000000,\npaddr=0xb000000,\nsize=0x200000) {\n",
      ["entry iommu_map cpu=0 depth=0"]),
    Snippet(
      "filled by a mailer",
      """
      > kworker/47:1-2373323 [047] 243644.756405: funcgraph_entry: |
      > process_one_work() { kworker/47:1-2373323 [047] 243644.756406:
      > funcgraph_entry: | wg_packet_decrypt_worker() { [...]
      > kworker/47:1-2373323 [047] 243644.756647: funcgraph_exit: 0.591 us | }
      > kworker/47:1-2373323 [047] 243644.756647: funcgraph_exit: ! 242.655 us
      > | }
      """,
      [
        "entry process_one_work cpu=47 task=kworker/47:1-2373323 depth=-1 at=243644756405000",
        "entry wg_packet_decrypt_worker cpu=47 task=kworker/47:1-2373323 depth=-1 at=243644756406000",
        "exit cpu=47 task=kworker/47:1-2373323 depth=-1 at=243644756647000 591/1",
        "exit cpu=47 task=kworker/47:1-2373323 depth=-1 at=243644756647000 242655/1",
      ]),
    Snippet(
      "wrapped without the rest",
      "funcgraph_entry:      #\nfuncgraph_entry:      # 33813.703 us |  a();\n\nv-3 [001] 1.000001: funcgraph_entry: |\n\nfin",
      ["leaf a depth=0 33813703/1"], unreadable: 1),
    Snippet(
      "cut in the middle of the last line",
      " 0)   1.000 us    |  a();\n 0)   1.000 us    |  vfio_pin_ma", ["leaf a cpu=0 depth=0 1000/1"],
      unreadable: 1),
    Snippet(
      "cut behind the last call", " 0)   1.000 us    |  a();\n 0)   2.000 us    |  b();",
      ["leaf a cpu=0 depth=0 1000/1", "leaf b cpu=0 depth=0 2000/1"]),
    Snippet(
      "a call without its parentheses",
      "munmap_test-15002 [008]   594.380138: funcgraph_entry: |  __vm_munmap {\n"
        + "munmap_test-15002 [008]   596.865836: funcgraph_exit:       !2485692 us |  }\n"
        + " 0)               |  a {\n|  do {\n|  struct a {\n",
      [
        "entry __vm_munmap cpu=8 task=munmap_test-15002 depth=0 at=594380138000",
        "exit cpu=8 task=munmap_test-15002 depth=0 at=596865836000 2485692000/1000", "entry a cpu=0 depth=0",
      ]),
    Snippet(
      "dumped into the kernel log",
      """
      [   12.345678]  0)               |  a() {
      [   12.345680][    T1]  0) + 12.000 us   |    b();
      [   12.345680]  0)    <idle>-0    =>   rcu-15  
      [   12.345681] CPU:2 [LOST 11745 EVENTS]
      > [   12.345690] ---------------------------------
      [   12.345690] BUG: unable to handle page fault
      """,
      [
        "entry a cpu=0 depth=0", "leaf b cpu=0 depth=1 12000/1", "switch <idle>-0 => rcu-15 cpu=0",
        "lost 11745 cpu=2",
      ]),
    Snippet("byte order mark", "\u{FEFF} 0) + 12.000 us   |  a();\n", ["leaf a cpu=0 depth=0 12000/1"]),
    Snippet(
      "quoted-printable",
      """
      >  5)   0.086 us    |        do_raw_spin_unlock(); /* <-_raw_spin_unlock_ir=
      qrestore+0x23/0x60 ret=3D0x1 */
      irq/68-dwc3-725 [000]   514.575337: funcgraph_entry: # 2079.480 us |  get=
      her_disconnect();
      >  5)               |        down_read(sem=3D0xffff8880100bea78, a=3D1) { /* =
      <-n_tty_write+0xa3/0x540 */
      """,
      [
        "leaf do_raw_spin_unlock cpu=5 depth=3 86/1",
        "leaf gether_disconnect cpu=0 task=irq/68-dwc3-725 depth=0 at=514575337000 2079480/1",
        "entry down_read cpu=5 depth=3",
      ]),
    Snippet(
      "quoted-printable, wrapped before",
      """
      > >   phc2sys-1615  [010]    74.518384: funcgraph_entry:      !  100.088 us=
       |
      > igc_rd32();
      > >   phc2sys-1615  [010]    74.518494: funcgraph_exit:       !  539.386 us=
       |    }
      """,
      [
        "leaf igc_rd32 cpu=10 task=phc2sys-1615 depth=-1 at=74518384000 100088/1",
        "exit cpu=10 task=phc2sys-1615 depth=1 at=74518494000 539386/1",
      ]),
    Snippet(
      "wrapped while the layout stays",
      """
               repro-27397 [004] 18814.535033: funcgraph_entry:                   
      |    __start_tty() {
      repro-27397 [004] 18814.535088: funcgraph_entry:                   |            
      con_write() {

      ---- cut not relevant code ----

               repro-27397 [004] 18814.571841: funcgraph_exit:       + 18.902 us  
      |                }
               repro-27397 [004] 18814.571843: funcgraph_exit:       # 36754.817 
      us |            }
      """,
      [
        "entry __start_tty cpu=4 task=repro-27397 depth=1 at=18814535033000",
        "entry con_write cpu=4 task=repro-27397 depth=-1 at=18814535088000",
        "exit cpu=4 task=repro-27397 depth=7 at=18814571841000 18902/1",
        "exit cpu=4 task=repro-27397 depth=5 at=18814571843000 36754817/1",
      ]),
    Snippet(
      "tables and prose",
      """
      | 110 us | snooze |
      | state | time |
      | 12.3 us | 4.5 us |
      It took 12.3 us | more or less, foo();
      The funcgraph_entry: line says how long it took.
      1) first of all
      2) then call foo() and bar().
      # 12 items
      0x10 | flags
         1.337 us [ 18277] | __monstartup();
                  [ 18277] | main() {
      a || b
      +---------------+--------------+
      -       foo();
      +       return bar();
      """,
      []),
  ]
}
