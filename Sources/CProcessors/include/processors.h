#ifndef PINSTAT_PROCESSORS_H
#define PINSTAT_PROCESSORS_H

#include <pthread.h>

// On which CPUs threads run: what Swift's Glibc does not show of <sched.h> and <pthread.h> (it is read without
// _GNU_SOURCE).

/// The CPUs on which the calling thread may run, ascending (sched_getaffinity(2)).
///
/// @return how many there are; at most `capacity` of them are written to `cpus`. 0 where the kernel does not say.
int processors_allowed(int cpus[], int capacity);

/// The CPU on which the calling thread runs (sched_getcpu(3)), or -1.
int processors_current(void);

/// Restricts a thread to one CPU (pthread_setaffinity_np(3)).
///
/// @return 0, or an error's number.
int processors_place(pthread_t thread, int cpu);

/// Lets the calling thread run on these CPUs (sched_setaffinity(2)); it stays where it is if that is among them.
///
/// @return 0, or -1 with errno.
int processors_release(const int cpus[], int count);

/// Starts a detached thread with all signals blocked, on a CPU if it is not negative.
///
/// @return 0, or an error's number.
int processors_start(void *(*run)(void *), void *argument, int cpu);

#endif
