extension Snippet {
  /// What real posts had that the layouts above did not.
  static let field = [
    Snippet(
      "wrapped inside the comment behind a brace",
      """
      > > 14) @ 210621.3 us |                    } /* schedule_timeout
      > */
      > > 14) @ 210654.0 us |                  } /*
      > > wait_for_completion_state */
           0.728425 |    0)   scsi_eh-92   | # 9927.978 us |  } /* 
      sata_link_hardreset */
      v-3 [001] 1.000001: funcgraph_exit: + 12.000 us | } /*
      a
      */
      """,
      [
        "exit schedule_timeout cpu=14 depth=9 210621300/100",
        "exit wait_for_completion_state cpu=14 depth=8 210654000/100",
        "exit sata_link_hardreset cpu=0 task=scsi_eh-92 depth=0 at=728425000 9927978/1",
        "exit a cpu=1 task=v-3 depth=-1 at=1000001000 12000/1",
      ]),
    Snippet(
      "the rest of that comment never comes",
      """
       0) + 12.000 us   |  } /* a
       0) + 13.000 us   |  } /* b */
       0) + 14.000 us   |    } /*
      After this patch:
       0) + 15.000 us   |  } /*
      """,
      [
        "exit cpu=0 depth=0 12000/1", "exit b cpu=0 depth=0 13000/1", "exit cpu=0 depth=1 14000/1",
        "heading after",
        "exit cpu=0 depth=0 15000/1",
      ]),
    Snippet(
      "cut in front of the module by format=flowed",
      " 0)               |  musb_map_urb_for_dma \n[musb_hdrc]() {\n"
        + " 4)   1.750 us    |      v4l2_m2m_buf_copy_metadata \n[v4l2_mem2mem](); /* = 0x0 */\n",
      [
        "entry musb_map_urb_for_dma[musb_hdrc] cpu=0 depth=0",
        "leaf v4l2_m2m_buf_copy_metadata[v4l2_mem2mem] cpu=4 depth=2 1750/1",
      ]),
    Snippet(
      "left out behind a duration",
      " 15)   0.195 us    |  // ...\n 15)               |  a() {\n 15)   0.431 us    |    // ...\n 15)   1.000 us    |  }\n",
      ["entry a cpu=15 depth=0", "exit cpu=15 depth=0 1000/1"]),
    Snippet(
      "absolute time that is no time",
      """
      111735834116555 |   0)   1.602 us    |  submit_bio();
      111735834123085 |   0)               |  a() {
      111735834352899 |   0)   <========== |
      1117358 | 4 |
      """,
      [
        "leaf submit_bio cpu=0 depth=0 raw=111735834116555 1602/1",
        "entry a cpu=0 depth=0 raw=111735834123085",
      ]),
    Snippet(
      "time and CPU in brackets",
      """
       1234567.89 [003]  nginx-9812     |  0.842 us    |          tcp_sendmsg_locked();
        1234.567890  [0]  |            do_sys_open() {
        1234.567892  [0]  0.234 us    |    a();
      """,
      [
        "leaf tcp_sendmsg_locked cpu=3 task=nginx-9812 depth=4 at=1234567890000000 842/1",
        "entry do_sys_open cpu=0 depth=5 at=1234567890000", "leaf a cpu=0 depth=1 at=1234567892000 234/1",
      ]),
    Snippet(
      "Android's flat records",
      """
      Binder_2-127  ( 127) [001] ....  3431.906759: graph_ent: func=sys_write
      Binder_2-127  ( 127) [001] ...1  3431.906798: tracing_mark_write: B|127|dequeueBuffer
      Binder_2-127  ( 127) [001] ....  3431.906802: graph_ret: func=sys_write
           a-18  [000] d..1   221.614108: graph_ent:
      func=get_device
      Binder_2-127  ( 127) [001] ....  3431.906759: graph_ret: func=3Dsys_write
      memgraph_ent: func=a
      """,
      [
        "entry sys_write cpu=1 task=Binder_2-127 depth=-1 at=3431906759000",
        "exit sys_write cpu=1 task=Binder_2-127 depth=-1 at=3431906802000",
        "entry get_device cpu=0 task=a-18 depth=-1 at=221614108000",
        "exit sys_write cpu=1 task=Binder_2-127 depth=-1 at=3431906759000",
      ]),
    Snippet(
      "arrows in quoted-printable",
      """
        4)               |  vfs_read() {
        4)   =3D=3D=3D=3D=3D=3D=3D=3D=3D=3D> |
        4)   1.000 us    |    a();
        4)   <=3D=3D=3D=3D=3D=3D=3D=3D=3D=3D |
       11) systemd-54512  =3D> systemd-66433
        1)  a-1    =3D>   b-2=20
      irq/68-dwc3-725   [000]   514.575337: funcgraph_entry:      #=20
      2079.480 us |  gether_disconnect();
      """,
      [
        "entry vfs_read cpu=4 depth=0", "leaf a cpu=4 depth=1 1000/1",
        "switch systemd-54512 => systemd-66433 cpu=11", "switch a-1 => b-2 cpu=1",
        "leaf gether_disconnect cpu=0 task=irq/68-dwc3-725 depth=0 at=514575337000 2079480/1",
      ]),
    Snippet(
      "an interrupt whose depth starts anew",
      """
        4)               |  vfs_read() {
        4)   ==========> |
        4)               |  smp_irq_work_interrupt() {
        5)   1.000 us    |  a();
        4)   0.040 us    |    irq_enter();
        4) + 11.952 us   |  }
        4)   <========== |
        4)   7.835 us    |  } /* vfs_read */
        4)               |  b() {
        4)   ==========> |
        4)    <idle>-0    =>   rcu-15
        4)   1.000 us    |  c();
      """,
      [
        "entry vfs_read cpu=4 depth=0", "entry smp_irq_work_interrupt cpu=4 depth=1",
        "leaf a cpu=5 depth=0 1000/1",
        "leaf irq_enter cpu=4 depth=2 40/1", "exit cpu=4 depth=1 11952/1",
        "exit vfs_read cpu=4 depth=0 7835/1",
        "entry b cpu=4 depth=0", "switch <idle>-0 => rcu-15 cpu=4", "leaf c cpu=4 depth=0 1000/1",
      ]),
    Snippet(
      "an interrupt that goes on with the depth",
      """
        2)               |  finish_task_switch() {
        2)   ==========> |
        2)               |    smp_irq_work_interrupt() {
        2)   6.958 us    |    }
        2)   <========== |
        2)   8.031 us    |  }
        2)   1.000 us    |      a();
        2)   ==========> |
        2)   1.000 us    |      b();
        2)   ==========> |
        2)   1.000 us    |    c();
      """,
      [
        "entry finish_task_switch cpu=2 depth=0", "entry smp_irq_work_interrupt cpu=2 depth=1",
        "exit cpu=2 depth=1 6958/1", "exit cpu=2 depth=0 8031/1", "leaf a cpu=2 depth=2 1000/1",
        "leaf b cpu=2 depth=2 1000/1", "leaf c cpu=2 depth=2 1000/1",
      ]),
    Snippet(
      "a heading at the end of a sentence",
      """
      Nice. On our machine (1G pages), without the patch:
      # 9000.000 us |  vfio_pin_map_dma();
      and with it:
      # 4000.000 us |  vfio_pin_map_dma();
      After that, the pages were unpinned:
      Before you ask, it was tested:
      This is the same test, as before:
      With that, this is how it looks: after the patch, no more
      """,
      [
        "heading before", "leaf vfio_pin_map_dma depth=0 9000000/1", "heading after",
        "leaf vfio_pin_map_dma depth=0 4000000/1",
      ]),
    Snippet(
      "a heading without a colon above a task's name",
      """

      Without the patch
       page_fault1_thr-1490  [023]   129.311706: funcgraph_entry:      #57377.796 us |  do_swap_page();

      > With the patch
      >  runtest.py-1417  [020]   301.935785: funcgraph_entry:        9.802us   |  do_swap_page();

      Before the patch
      vfio-3 [001] 1.000001: funcgraph_entry: #
      9000.000 us |  a();

      After the patch
      it was faster, by far.
      # 4000.000 us |  b();
      """,
      [
        "heading before",
        "leaf do_swap_page cpu=23 task=page_fault1_thr-1490 depth=0 at=129311706000 57377796/1",
        "heading after",
        "leaf do_swap_page cpu=20 task=runtest.py-1417 depth=0 at=301935785000 9802/1", "heading before",
        "leaf a cpu=1 task=vfio-3 depth=0 at=1000001000 9000000/1", "leaf b depth=0 4000000/1",
      ]),
    Snippet(
      "asterisks taken for emphasis",
      "224534963 us | } / btrfs_read_block_groups [btrfs] /\n 0) + 12.000 us   |  } / a\n 0) + 13.000 us   |  } /b/\n",
      [
        "exit btrfs_read_block_groups[btrfs] depth=-1 224534963000/1000", "exit cpu=0 depth=0 12000/1",
        "exit cpu=0 depth=0 13000/1",
      ]),
  ]
}
