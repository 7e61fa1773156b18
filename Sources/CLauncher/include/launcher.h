#ifndef PINSTAT_LAUNCHER_H
#define PINSTAT_LAUNCHER_H

#include <sys/types.h>

/// Forks a process that waits for a byte from `go` and then becomes `argv[0]`, found as execvp(3) finds it.
///
/// It ends without having become anything where `go` is closed without a byte. Where the program cannot be executed, the
/// process writes errno, an int, to `failure` and ends with 127; otherwise `failure` is closed by the execution. Both
/// descriptors have to be close-on-exec.
///
/// Signals are blocked while the process is made and handled as the program that is to run expects: those in `handled`
/// by their default action, none blocked.
///
/// Fork and not posix_spawn(3), which has no way to stop the new process before its program begins (no
/// POSIX_SPAWN_START_SUSPENDED on Linux); and C, as Swift offers no fork: between fork and exec of a process with several
/// threads only async-signal-safe functions may be called, which rules Swift's runtime out.
///
/// @return the process, or -1 with errno.
pid_t launcher_fork(char *const argv[], int go, int failure, const int handled[], int handledCount);

/// pipe2(2), which Swift's Glibc does not show.
int launcher_pipe(int ends[2], int flags);

/// The calling thread's number, as tracefs knows tasks: gettid(2), which Swift's Glibc does not show.
pid_t launcher_thread(void);

#endif
