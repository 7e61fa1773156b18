import Analysis
import Foundation
import PinningModel

/// A costs file: what is taken can be written, and is then the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Data(UnsafeBufferPointer(start: data, count: size))
  guard let profile = try? CostProfile(costs: bytes) else { return 0 }
  let written = try? CostsDocument(profile).encoded()
  precondition(written.flatMap { try? CostProfile(costs: $0) } != nil, "what was written cannot be read")
  return 0
}
