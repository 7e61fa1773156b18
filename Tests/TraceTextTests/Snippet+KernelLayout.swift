extension Snippet {
  /// The kernel's own layout, with every column on and off.
  static let kernelLayout = [
    Snippet(
      "default columns",
      """
       1)               |  vfio_pin_map_dma [vfio_iommu_type1]() {
       1) + 18.247 us   |    vaddr_get_pfns [vfio_iommu_type1]();
       1)   0.731 us    |    put_pfn();
       1) ! 930.184 us  |  }
      """,
      [
        "entry vfio_pin_map_dma[vfio_iommu_type1] cpu=1 depth=0",
        "leaf vaddr_get_pfns[vfio_iommu_type1] cpu=1 depth=1 18247/1", "leaf put_pfn cpu=1 depth=1 731/1",
        "exit cpu=1 depth=0 930184/1",
      ]),
    Snippet(
      "decimals go as durations grow",
      """
       0) # 7767.604 us |  a();
       0) * 35407.52 us |  b();
       0) @ 150319.1 us |  c();
       0) $ 7062971 us  |  d();
       0) $ 187566289 us |  } /* schedule */
      """,
      [
        "leaf a cpu=0 depth=0 7767604/1", "leaf b cpu=0 depth=0 35407520/10",
        "leaf c cpu=0 depth=0 150319100/100",
        "leaf d cpu=0 depth=0 7062971000/1000", "exit schedule cpu=0 depth=0 187566289000/1000",
      ]),
    Snippet(
      "CPU numbers are right aligned",
      "  0)   1.000 us    |  a();\n 53)   2.000 us    |  b();\n104)   3.000 us    |  c();\n",
      ["leaf a cpu=0 depth=0 1000/1", "leaf b cpu=53 depth=0 2000/1", "leaf c cpu=104 depth=0 3000/1"]),
    Snippet(
      "overhead off, mark touching",
      " 0)   33.000 us   |  a();\n 0) +33.000 us   |  b();\n 0)+ 33.000 us |  c();",
      ["leaf a cpu=0 depth=0 33000/1", "leaf b cpu=0 depth=0 33000/1", "leaf c cpu=0 depth=0 33000/1"]),
    Snippet(
      "absolute time",
      "  157.367682 |   1)               |  a() {\n  157.368080 |   1) + 14.101 us   |    b();",
      ["entry a cpu=1 depth=0 at=157367682000", "leaf b cpu=1 depth=1 at=157368080000 14101/1"]),
    Snippet(
      "relative time is no time and no duration",
      "       12 us |   1)               |  a() {\n       15 us |   1) + 14.101 us   |    b();",
      ["entry a cpu=1 depth=0", "leaf b cpu=1 depth=1 14101/1"]),
    Snippet(
      "relative time without CPU",
      "       12 us |                |  a() {\n       15 us |  + 14.101 us   |    b();",
      ["entry a depth=0", "leaf b depth=1 14101/1"]),
    Snippet(
      "tasks",
      """
       1)  vfiomap-560   |               |  a() {
       1)  vfiomap-560   | + 22.594 us   |    b();
       0)    <idle>-0    |   1.463 us    |  c();
       0)     <...>-4242 |   1.463 us    |  d();
      """,
      [
        "entry a cpu=1 task=vfiomap-560 depth=0", "leaf b cpu=1 task=vfiomap-560 depth=1 22594/1",
        "leaf c cpu=0 task=<idle>-0 depth=0 1463/1", "leaf d cpu=0 task=<...>-4242 depth=0 1463/1",
      ]),
    Snippet(
      "task names of anything",
      """
       3)  Web Con-4711  |   1.463 us    |  a();
       3)  a-b [c]-12    |   1.463 us    |  b();
       3)  kworker-9     |   1.463 us    |  c();
       3)  12-34-56      |   1.463 us    |  d();
       3)  x:y 1)-7      |   1.463 us    |  e();
      """,
      [
        "leaf a cpu=3 task=Web Con-4711 depth=0 1463/1", "leaf b cpu=3 task=a-b [c]-12 depth=0 1463/1",
        "leaf c cpu=3 task=kworker-9 depth=0 1463/1", "leaf d cpu=3 task=12-34-56 depth=0 1463/1",
        "leaf e cpu=3 task=x:y 1)-7 depth=0 1463/1",
      ]),
    Snippet(
      "latency flags",
      """
       0)  ...1. |               |  a() {
       0)  dNh31. | + 25.338 us   |    b();
       0)  d.... | + 25.338 us   |  }
       0)  d..1 | + 25.338 us   |  }
      """,
      [
        "entry a cpu=0 depth=0", "leaf b cpu=0 depth=1 25338/1", "exit cpu=0 depth=0 25338/1",
        "exit cpu=0 depth=0 25338/1",
      ]),
    Snippet(
      "irqsoff tracer, display-graph",
      "        0 us |   0)   bash-1507    |  d... |   0.000 us    |  _raw_spin_lock_irqsave();\n"
        + "        4 us |   0)   bash-1507    |  d..1 | ! 105.000 us  |    a();\n",
      [
        "leaf _raw_spin_lock_irqsave cpu=0 task=bash-1507 depth=0 0/1",
        "leaf a cpu=0 task=bash-1507 depth=1 105000/1",
      ]),
    Snippet(
      "perf ftrace, verbose",
      "  157.367682 |   1)  vfiomap-560   |  ...1. |               |  a() {\n"
        + "  157.367699 |   1)  vfiomap-560   |  d..1. | + 14.101 us   |    b();\n",
      [
        "entry a cpu=1 task=vfiomap-560 depth=0 at=157367682000",
        "leaf b cpu=1 task=vfiomap-560 depth=1 at=157367699000 14101/1",
      ]),
    Snippet(
      "CPU off",
      "              |  a() {\n+ 28.864 us   |    b();\n  4.727 us    |    c();\n# 4424.265 us |  }\n",
      ["entry a depth=0", "leaf b depth=1 28864/1", "leaf c depth=1 4727/1", "exit depth=0 4424265/1"]),
    Snippet(
      "CPU off, task on",
      "  vfiomap-560   |               |  a() {\n  vfiomap-560   | + 28.864 us   |    b();\n",
      ["entry a task=vfiomap-560 depth=0", "leaf b task=vfiomap-560 depth=1 28864/1"]),
    Snippet(
      "duration off",
      " 0) a [m]() {\n 0)   b();\n 0)     c [m]();\n 0)   }\n 0) }\n",
      [
        "entry a[m] cpu=0 depth=0", "leaf b cpu=0 depth=1", "leaf c[m] cpu=0 depth=2", "exit cpu=0 depth=1",
        "exit cpu=0 depth=0",
      ]),
    Snippet(
      "duration off, task on",
      " 0)  vfiomap-560   | a() {\n 0)  vfiomap-560   |   b();\n",
      ["entry a cpu=0 task=vfiomap-560 depth=0", "leaf b cpu=0 task=vfiomap-560 depth=1"]),
    Snippet(
      "duration off, absolute time on",
      "  157.367682 |   1) a() {\n  157.367699 |   1)   b();\n",
      ["entry a cpu=1 depth=0 at=157367682000", "leaf b cpu=1 depth=1 at=157367699000"]),
    Snippet(
      "tail",
      " 0) + 43.705 us   |    } /* get_free_pages_noprof */\n"
        + " 0) ! 164.807 us  |  } /* vfio_pin_pages_remote [vfio_iommu_type1] */\n",
      [
        "exit get_free_pages_noprof cpu=0 depth=1 43705/1",
        "exit vfio_pin_pages_remote[vfio_iommu_type1] cpu=0 depth=0 164807/1",
      ]),
    Snippet(
      "arguments",
      """
       0)               |  iommu_map(domain=0xff110000052abaa0, iova=0x100000000, prot=7, gfp=0x400cc0) {
       0) + 22.274 us   |    alloc_pages_noprof(gfp=GFP_KERNEL|__GFP_ZERO, fn=f(1), order=0x0);
       0) + 22.274 us   |    vfree [m](addr=0x0) {
      """,
      [
        "entry iommu_map cpu=0 depth=0", "leaf alloc_pages_noprof cpu=0 depth=1 22274/1",
        "entry vfree[m] cpu=0 depth=1",
      ]),
    Snippet(
      "return values and addresses",
      """
       1)               |  load_elf_binary() { /* <-bprm_execve+0x249/0x600 */
       1)   0.063 us    |    a(); /* <-load_elf_phdrs+0x6c/0xb0 ret=0x1 */
       1)   0.063 us    |    b(); /* ret=-38 */
       1)   0.063 us    |    c(); /* = -38 */
       1)   0.063 us    |    d [m](); /* ret=0x0 */
       1)   0.063 us    |    } /* kernel_read ret=0x40 */
       1)   0.063 us    |    } /* e [m] ret=-2 */
       1)   0.063 us    |    } /* ret=0x0 */
       1)   0.063 us    |    } /* = 0 */
       1)   0.063 us    |  } (ret=0x0)
      """,
      [
        "entry load_elf_binary cpu=1 depth=0", "leaf a cpu=1 depth=1 63/1", "leaf b cpu=1 depth=1 63/1",
        "leaf c cpu=1 depth=1 63/1", "leaf d[m] cpu=1 depth=1 63/1", "exit kernel_read cpu=1 depth=1 63/1",
        "exit e[m] cpu=1 depth=1 63/1", "exit cpu=1 depth=1 63/1", "exit cpu=1 depth=1 63/1",
        "exit cpu=1 depth=0 63/1",
      ]),
    Snippet(
      "names",
      """
       0)   1.000 us    |  vfio_lock_acct.part.0 [vfio_iommu_type1]();
       0)   1.000 us    |  a.isra.16.constprop.2();
       0)   1.000 us    |  0xffffffff81234567();
       0)   1.000 us    |  .sys_read();
       0)   1.000 us    |  b() [mod-x];
       0)   1.000 us    |  c+0x4/0x80 [m]();
       0)   1.000 us    |  bpf_prog_6deef7357e7b4530_F [bpf]();
      """,
      [
        "leaf vfio_lock_acct.part.0[vfio_iommu_type1] cpu=0 depth=0 1000/1",
        "leaf a.isra.16.constprop.2 cpu=0 depth=0 1000/1", "leaf 0xffffffff81234567 cpu=0 depth=0 1000/1",
        "leaf .sys_read cpu=0 depth=0 1000/1", "leaf b[mod-x] cpu=0 depth=0 1000/1",
        "leaf c[m] cpu=0 depth=0 1000/1", "leaf bpf_prog_6deef7357e7b4530_F[bpf] cpu=0 depth=0 1000/1",
      ]),
    Snippet(
      "a remark behind the brace",
      " 0)               |  a() {   <--- here it sleeps\n 0)   1.000 us    |  } // 300 us\n",
      ["entry a cpu=0 depth=0", "exit cpu=0 depth=0 1000/1"]),
    Snippet(
      "bare calls under a header that has no column",
      "# tracer: function_graph\n#\n#               FUNCTION CALLS\n#               |   |   |   |\na() {\n  b [m]();\n}\n",
      ["entry a depth=0", "leaf b[m] depth=1", "exit depth=0"]),
    Snippet("code is no trace", "a() {\n  b();\n}\n", []),
    Snippet(
      "context switch",
      """
       ------------------------------------------
       4)    <idle>-0    =>   rcu_pre-15  
       ------------------------------------------

       4)   1.000 us    |  a();
       ------------------------------------------
       1)   ksoftir-18   => qemu-kv-17653
       ------------------------------------------
       ------------------------------------------
       | 1)  migration/0-5  =>  a b-c-1755
       ------------------------------------------
      """,
      [
        "switch <idle>-0 => rcu_pre-15 cpu=4", "leaf a cpu=4 depth=0 1000/1",
        "switch ksoftir-18 => qemu-kv-17653 cpu=1", "switch migration/0-5 => a b-c-1755 cpu=1",
      ]),
    Snippet(
      "interrupts",
      " 0)   ==========> |\n 0)   1.000 us    |  do_IRQ();\n 0)   <========== |\n 0) ==========>\n",
      ["leaf do_IRQ cpu=0 depth=0 1000/1"]),
    Snippet(
      "comments of other events",
      """
       0)               |  /* sched_switch: prev_comm=a prev_pid=1 prev_state=R ==> next_comm=init next_pid=1480 */
       0)               |    /* softirq_raise: vec=7 [action=SCHED] */
       0)               |  /* printk: f(); */
       0)   1.000 us    |  a();
      """,
      ["leaf a cpu=0 depth=0 1000/1"]),
    Snippet(
      "a comment over several lines",
      """
       0)               |  /* first
      + 12.000 us |  b();
      c() {
      last */
       0)   1.000 us    |  a();
      + 12.000 us |  d();
      """,
      ["leaf a cpu=0 depth=0 1000/1", "leaf d depth=0 12000/1"]),
    Snippet(
      "overruns",
      " 0)   1.000 us    |  }\n (Overruns: 3)\n 0)   1.000 us    |  } (Overruns: 3)\n",
      ["exit cpu=0 depth=0 1000/1", "exit cpu=0 depth=0 1000/1"]),
    Snippet(
      "what cannot be read is said",
      " 0)   1.000 us    |  a(;\n 0)   1.000 us    |  12 monkeys\n 0)   1.000 us    |  b();\n",
      ["leaf b cpu=0 depth=0 1000/1"], unreadable: 2),
    Snippet(
      "blanks and tabs that a mailer joined",
      " 0) | a() {\n 0) 1.000 us | b();\n 0) 2.000 us |\t\tc();\n 0) 3.000 us | }\n",
      [
        "entry a cpu=0 depth=-1", "leaf b cpu=0 depth=-1 1000/1", "leaf c cpu=0 depth=-1 2000/1",
        "exit cpu=0 depth=-1 3000/1",
      ]),
    Snippet(
      "bytes of any kind",
      " 0)   1.000 us    |  a();\n\u{0}\u{0}\n 0)   1.000 us    |  b\u{0}();\n\u{7F}\u{1} 0) x\n 0)   1.000 us    |  c();",
      ["leaf a cpu=0 depth=0 1000/1", "leaf c cpu=0 depth=0 1000/1"], unreadable: 1),
  ]
}
