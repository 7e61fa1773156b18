// swift-tools-version: 6.2
import PackageDescription

// libFuzzer targets for what reads files of strangers. `make fuzz TIME=60` in the root builds and runs them all.
let target: [SwiftSetting] = [
  // libFuzzer brings the main function.
  .unsafeFlags(["-parse-as-library"])
]

let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "pinstat", path: "..")],
  targets: [
    .target(
      name: "Inputs",
      dependencies: [
        .product(name: "FunctionGraph", package: "pinstat"),
        .product(name: "TraceReaders", package: "pinstat"),
      ]),
    .executableTarget(
      name: "FuzzText", dependencies: ["Inputs", .product(name: "TraceReaders", package: "pinstat")],
      swiftSettings: target),
    .executableTarget(
      name: "FuzzDat", dependencies: ["Inputs", .product(name: "TraceReaders", package: "pinstat")],
      swiftSettings: target),
    .executableTarget(
      name: "FuzzBaseline", dependencies: ["Inputs", .product(name: "Analysis", package: "pinstat")],
      swiftSettings: target),
    .executableTarget(
      name: "FuzzSummary",
      dependencies: [
        .product(name: "Analysis", package: "pinstat"), .product(name: "TraceInput", package: "pinstat"),
      ],
      swiftSettings: target),
    .executableTarget(
      name: "FuzzCosts",
      dependencies: [
        .product(name: "Analysis", package: "pinstat"), .product(name: "PinningModel", package: "pinstat"),
      ],
      swiftSettings: target),
    .executableTarget(
      name: "FuzzDifferential", dependencies: ["Inputs", .product(name: "TraceReaders", package: "pinstat")],
      swiftSettings: target),
  ]
)
