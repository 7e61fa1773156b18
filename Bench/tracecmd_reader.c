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
  unsigned long long from, to, calls, nanoseconds;
};

static int take(struct tracecmd_input *input, struct tep_record *record, int cpu, void *context) {
  (void)cpu;
  struct sum *sum = context;
  struct tep_handle *tep = tracecmd_get_tep(input);
  if (tep_data_type(tep, record) != sum->exit->id) return 0;
  unsigned long long address, call_time, return_time;
  if (tep_read_number_field(sum->function, record->data, &address)) return 0;
  if (address < sum->from || address >= sum->to) return 0;
  if (tep_read_number_field(sum->call_time, record->data, &call_time)) return 0;
  if (tep_read_number_field(sum->return_time, record->data, &return_time)) return 0;
  sum->calls++;
  sum->nanoseconds += return_time - call_time;
  return 0;
}

// The function's range is found by asking for the name at its address once it turns up; a range keeps that cheap.
static int find(struct tracecmd_input *input, struct tep_record *record, int cpu, void *context) {
  (void)cpu;
  void **arguments = context;
  struct sum *sum = arguments[0];
  struct tep_handle *tep = tracecmd_get_tep(input);
  if (tep_data_type(tep, record) != sum->exit->id) return 0;
  unsigned long long address;
  if (tep_read_number_field(sum->function, record->data, &address)) return 0;
  const char *name = tep_find_function(tep, address);
  if (!name || strcmp(name, arguments[1])) return 0;
  sum->from = tep_find_function_address(tep, address);
  sum->to = address + 1;
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct sum sum = {0};
  for (int pass = 0; pass < 2; pass++) {
    struct tracecmd_input *input = tracecmd_open(argv[1], 0);
    if (!input) return 1;
    struct tep_handle *tep = tracecmd_get_tep(input);
    sum.exit = tep_find_event_by_name(tep, "ftrace", "funcgraph_exit");
    if (!sum.exit) return 1;
    sum.function = tep_find_field(sum.exit, "func");
    sum.call_time = tep_find_field(sum.exit, "calltime");
    sum.return_time = tep_find_field(sum.exit, "rettime");
    if (!sum.function || !sum.call_time || !sum.return_time) return 1;
    void *arguments[] = {&sum, argv[2]};
    tracecmd_iterate_events(input, NULL, 0, pass ? take : find, pass ? (void *)&sum : (void *)arguments);
    tracecmd_close(input);
  }
  printf("%llu %llu\n", sum.calls, sum.nanoseconds);
  return 0;
}
