// swift-tools-version: 6.2
import PackageDescription

// Every module is built as Swift 6 (strict concurrency). `make test` makes warnings errors; elsewhere a newer compiler's
// new warning shall not keep anyone from building.
let isStrict = Context.environment["PINSTAT_STRICT"] == "1"
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
  ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
  name: "pinstat",
  products: [
    .executable(name: "pinstat", targets: ["pinstat"]),
    .library(name: "FunctionGraph", targets: ["FunctionGraph"]),
    .library(name: "TraceInput", targets: ["TraceInput"]),
    .library(name: "TraceReaders", targets: ["TraceText", "TraceDat"]),
    .library(name: "Statistics", targets: ["Statistics"]),
    .library(name: "Analysis", targets: ["Analysis"]),
    .library(name: "PinningModel", targets: ["PinningModel"]),
    .library(name: "Reports", targets: ["Reports"]),
    .library(name: "TraceCapture", targets: ["TraceCapture"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .systemLibrary(
      name: "CTraceEvent", pkgConfig: "libtraceevent", providers: [.apt(["libtraceevent-dev"])]),
    .systemLibrary(name: "CTraceFS", pkgConfig: "libtracefs", providers: [.apt(["libtracefs-dev"])]),
    .systemLibrary(
      name: "CCompression", pkgConfig: "libzstd", providers: [.apt(["zlib1g-dev", "libzstd-dev"])]),

    .systemLibrary(name: "CVector"),

    .target(name: "CProcessors"),
    .target(name: "FunctionGraph", dependencies: ["CProcessors"], swiftSettings: settings),
    .target(name: "Statistics", swiftSettings: settings),
    .target(name: "PinningModel", swiftSettings: settings),
    .target(name: "TraceText", dependencies: ["FunctionGraph", "CVector"], swiftSettings: settings),
    .target(
      name: "TraceDat", dependencies: ["FunctionGraph", "CTraceEvent", "CCompression", "CVector"],
      swiftSettings: settings),
    .target(
      name: "TraceInput", dependencies: ["FunctionGraph", "TraceText", "TraceDat"],
      swiftSettings: settings),
    .target(name: "CLauncher"),
    .target(name: "TraceCapture", dependencies: ["CTraceFS", "CLauncher"], swiftSettings: settings),
    .target(
      name: "Analysis", dependencies: ["FunctionGraph", "TraceInput", "Statistics", "PinningModel"],
      swiftSettings: settings),
    .target(name: "Reports", dependencies: ["Analysis", "PinningModel"], swiftSettings: settings),
    .executableTarget(
      name: "pinstat",
      dependencies: [
        "Analysis", "Reports", "TraceInput", "TraceCapture", "FunctionGraph", "PinningModel",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    // What README.md shows of the library.
    .executableTarget(
      name: "durations", dependencies: ["TraceInput", "FunctionGraph"], path: "Examples/durations",
      swiftSettings: settings),
    // Makes the manual pages at `make install`.
    .executableTarget(name: "manual", swiftSettings: settings),

    .testTarget(name: "FunctionGraphTests", dependencies: ["FunctionGraph"], swiftSettings: settings),
    .testTarget(
      name: "StatisticsTests", dependencies: ["Statistics"], exclude: ["Golden"], swiftSettings: settings),
    .testTarget(
      name: "TraceTextTests", dependencies: ["TraceText", "FunctionGraph"], swiftSettings: settings),
    .testTarget(name: "TraceDatTests", dependencies: ["TraceDat", "FunctionGraph"], swiftSettings: settings),
    .testTarget(name: "PinningModelTests", dependencies: ["PinningModel"], swiftSettings: settings),
    .testTarget(
      name: "TraceInputTests", dependencies: ["TraceInput", "FunctionGraph"], swiftSettings: settings),
    .testTarget(
      name: "TraceCaptureTests",
      dependencies: ["TraceCapture", "TraceInput", "FunctionGraph"], swiftSettings: settings),
    .testTarget(
      name: "AnalysisTests", dependencies: ["Analysis", "TraceInput", "FunctionGraph", "Statistics"],
      swiftSettings: settings),
    .testTarget(
      name: "ReportsTests", dependencies: ["Reports", "Analysis", "FunctionGraph", "Statistics"],
      swiftSettings: settings),
    .testTarget(
      name: "pinstatTests", dependencies: ["pinstat", "manual", "durations"],
      exclude: ["Golden", "Readers", "Browser", "Schemas"], swiftSettings: settings),
  ]
)
