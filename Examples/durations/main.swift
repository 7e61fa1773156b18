import FunctionGraph
import TraceInput

var reader = try CallReader(path: "Fixtures/traces/6.18-seed-8g-2m.dat")
var calls: [Call] = []
while try reader.next(&calls) {
  for call in calls {
    print(reader.functions[call.function].symbol, call.duration ?? -1, "ns")
  }
}
