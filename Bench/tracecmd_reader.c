// What a program on libtracecmd needs to sum one function's durations: the yardstick for reading trace.dat.
//
//     tracecmd_reader FILE FUNCTION
//
// Prints calls and nanoseconds of the funcgraph_exit records of FUNCTION in the top buffer.

#include <stdio.h>
#include <string.h>
#include <trace-cmd.h>

struct sum {
  struct tep_event *exit;
  struct tep_format_field *function, *call_time, *return_time;
  const char *name;
  unsigned long long wanted, calls, nanoseconds;
};

// Whether the function at `address` is the wanted one; until it has been found every address's name is looked up.
static int is_wanted(struct sum *sum, struct tep_handle *tep, unsigned long long address) {
  if (address == sum->wanted) return 1;
  if (sum->wanted) return 0;
  const char *name = tep_find_function(tep, address);
  if (!name || strcmp(name, sum->name)) return 0;
  sum->wanted = address;
  return 1;
}

static int take(struct tracecmd_input *input, struct tep_record *record, int cpu, void *context) {
  (void)cpu;
  struct sum *sum = context;
  struct tep_handle *tep = tracecmd_get_tep(input);
  if (tep_data_type(tep, record) != sum->exit->id) return 0;
  unsigned long long address, call_time, return_time;
  if (tep_read_number_field(sum->function, record->data, &address)) return 0;
  if (!is_wanted(sum, tep, address)) return 0;
  if (tep_read_number_field(sum->call_time, record->data, &call_time)) return 0;
  if (tep_read_number_field(sum->return_time, record->data, &return_time)) return 0;
  sum->calls++;
  sum->nanoseconds += return_time - call_time;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct tracecmd_input *input = tracecmd_open(argv[1], 0);
  if (!input) return 1;
  struct tep_handle *tep = tracecmd_get_tep(input);
  struct sum sum = {.name = argv[2], .exit = tep_find_event_by_name(tep, "ftrace", "funcgraph_exit")};
  if (!sum.exit) return 1;
  sum.function = tep_find_field(sum.exit, "func");
  sum.call_time = tep_find_field(sum.exit, "calltime");
  sum.return_time = tep_find_field(sum.exit, "rettime");
  if (!sum.function || !sum.call_time || !sum.return_time) return 1;
  tracecmd_iterate_events(input, NULL, 0, take, &sum);
  tracecmd_close(input);
  printf("%llu %llu\n", sum.calls, sum.nanoseconds);
  return 0;
}
