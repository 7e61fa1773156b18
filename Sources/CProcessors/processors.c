#define _GNU_SOURCE
#include "processors.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>

// As many as a kernel can be built for (CONFIG_NR_CPUS: arch/x86/Kconfig, NR_CPUS_RANGE_END).
enum { most = 8192 };

// cpu_set_t is a mask of 1,024 CPUs, and one that is smaller than the kernel's is refused.
typedef struct {
  cpu_set_t words[most / CPU_SETSIZE];
} mask;

int processors_allowed(int cpus[], int capacity) {
  mask set;
  CPU_ZERO_S(sizeof set, set.words);
  if (sched_getaffinity(0, sizeof set, set.words) != 0) return 0;
  int count = 0;
  for (int cpu = 0; cpu < most; cpu++) {
    if (!CPU_ISSET_S(cpu, sizeof set, set.words)) continue;
    if (count < capacity) cpus[count] = cpu;
    count++;
  }
  return count;
}

int processors_current(void) { return sched_getcpu(); }

static void only(mask *set, int cpu) {
  CPU_ZERO_S(sizeof *set, set->words);
  CPU_SET_S(cpu, sizeof *set, set->words);
}

int processors_place(pthread_t thread, int cpu) {
  mask set;
  only(&set, cpu);
  return pthread_setaffinity_np(thread, sizeof set, set.words);
}

int processors_release(const int cpus[], int count) {
  mask set;
  CPU_ZERO_S(sizeof set, set.words);
  for (int index = 0; index < count; index++) CPU_SET_S(cpus[index], sizeof set, set.words);
  return sched_setaffinity(0, sizeof set, set.words);
}

int processors_start(void *(*run)(void *), void *argument, int cpu) {
  pthread_attr_t attributes;
  int code = pthread_attr_init(&attributes);
  if (code != 0) return code;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (cpu >= 0) {
    mask set;
    only(&set, cpu);
    pthread_attr_setaffinity_np(&attributes, sizeof set, set.words);
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  code = pthread_create(&thread, &attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return code;
}
