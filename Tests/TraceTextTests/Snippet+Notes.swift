extension Snippet {
  /// What a trace says besides calls.
  static let notes = [
    Snippet(
      "lost events",
      """
      CPU:2 [LOST 11745 EVENTS]
      CPU:3 [LOST EVENTS]
      CPU:12 [11745 EVENTS DROPPED]
      CPU:4 [EVENTS DROPPED]
      [EVENTS DROPPED]
      > CPU:5 [LOST 1 EVENTS]
      inst1: CPU:6 [7 EVENTS DROPPED]
      """,
      [
        "lost 11745 cpu=2", "lost 0 cpu=3", "lost 11745 cpu=12", "lost 0 cpu=4", "lost 0", "lost 1 cpu=5",
        "lost 7 buffer=inst1 cpu=6",
      ]),
    Snippet(
      "lost events between calls",
      " 1)               |  a() {\nCPU:1 [LOST 1242 EVENTS]\n 1)   0.781 us    |                  } /* b */\n",
      ["entry a cpu=1 depth=0", "lost 1242 cpu=1", "exit b cpu=1 depth=8 781/1"]),
    Snippet(
      "talk of lost events", "We saw [LOST 5 EVENTS] in CPU:2 and more EVENTS DROPPED than CPU:4 [any]\n", []),
    Snippet(
      "a buffer that started",
      "##### CPU 2 buffer started ####\n 2)   0.781 us    |  a();\n", ["leaf a cpu=2 depth=0 781/1"]),
    Snippet(
      "function tracer",
      """
      # tracer: function
      #
      # entries-in-buffer/entries-written: 103/205   #P:2
      #
      #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
               vfiomap-1844    [001] .....   598.353692: vfio_fops_open <-misc_open
      """,
      []),
    Snippet(
      "latency header",
      """
      # function_graph latency trace v1.1.5 on 6.17.13+deb13-amd64
      # --------------------------------------------------------------------
      # latency: 0 us, #80/80, CPU#0 | (M:PREEMPT(lazy) VP:0, KP:0, SP:0 HP:0 #P:2)
      #    -----------------
      #    | task: -0 (uid:0 nice:0 policy:0 rt_prio:0)
      #    -----------------
      #      _-----=> irqs-off
      #     / _----=> need-resched
      #    | / _---=> hardirq/softirq
      #    || / _--=> preempt-depth
      #    ||| /
      # CPU||||     DURATION                  FUNCTION CALLS
      # |  ||||      |   |                     |   |   |   |
      """,
      []),
    Snippet("nothing", "", []),
    Snippet("blank lines", "\n\n \n", []),
  ]

  static let headings = [
    Snippet(
      "headings",
      """
      Before this patch:
      Before:
      before the patch :
      > Before applying this series:
      Without this patch:
      w/o patch:
      **Before**
      ## Before this patch
      ### Results before the change
      *Before:*
      === before ===
      base:
      Old kernel:
      Unpatched kernel (6.17-rc1):
      baseline 6.17.13:
      Results without the patch:
      1. Before this patch:
      Original code:
      not patched:
      [6.10 wo/ the patch]
      Output before:
      Before this patch: 8G, 2M pages
      """,
      Array(repeating: "heading before", count: 22)),
    Snippet(
      "headings of the other side",
      """
      After this patch:
      AFTER:
      After applying this patch series:
      With this patch:
      with patches:
      w/ patch:
      Patched:
      patched kernel:
      New kernel:
      __After__
      # After
      --- after ---
      After this patch, we get:
      6.17 + this patch, after:
      Optimized version:
      After (v3):
      [6.10 w/ the patch]
      Output after:
      """,
      Array(repeating: "heading after", count: 18)),
    Snippet(
      "underlined, and alone between blank lines",
      "text\n\nBefore this patch\n-----------------\n\nAfter\n=====\n\nBefore\n\nAfter this patch\n 0)   1.000 us    |  a();\n",
      ["heading before", "heading after", "heading before", "heading after", "leaf a cpu=0 depth=0 1000/1"]),
    Snippet(
      "headings with the trace behind them",
      "Before: # 33813.703 us |  a();\nafter:  funcgraph_entry: # 15635.055 us |  a();\n"
        + "- Before this patch: `funcgraph_entry: # 33813.703 us |  b();`\n",
      [
        "heading before", "leaf a depth=0 33813703/1", "heading after", "leaf a depth=0 15635055/1",
        "heading before", "leaf b depth=0 33813703/1",
      ]),
    Snippet(
      "prose",
      """
      After that, the pages are unpinned in the same order:
      Before going on, run the following commands:
      Before this patch, the function iterates over every page. That is slow.
      After this change: the loop handles whole folios and accounts them at once, which is faster.
      On Mon, Jun 16, 2025 at 3:52 PM Li Zhe wrote:
      with the old and the new one:
      before and after:
      The new code is as follows
      this patch
      Before this patch the kernel
      pinned each page by itself
      Signed-off-by: A New <after@example.org>
      Changes since v1:
      new file mode 100644
      after
      that it works
      """,
      []),
  ]
}
