#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

pid_t launcher_fork(char *const argv[], int go, int failure, const int handled[], int handledCount) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  pid_t process = fork();
  if (process != 0) {
    int code = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return process;
  }
  // A handler of the parent must not run here: it would write to the parent's pipe.
  for (int index = 0; index < handledCount; index++) signal(handled[index], SIG_DFL);
  // Not `before`: a worker thread of the parent has everything blocked, which a program inherits and does not expect.
  sigemptyset(&before);
  sigprocmask(SIG_SETMASK, &before, NULL);
  char byte;
  ssize_t count;
  do {
    count = read(go, &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 1) {
    execvp(argv[0], argv);
    int code = errno;
    if (write(failure, &code, sizeof code) < 0) _exit(126);
  }
  _exit(127);
}

int launcher_pipe(int ends[2], int flags) { return pipe2(ends, flags); }

pid_t launcher_thread(void) { return gettid(); }
