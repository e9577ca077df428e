/// How many bytes may come of compressed ones: 20 times as many, or 256 MiB where that is more. Images and their labels
/// seldom shrink to less than a tenth; what grows to a thousand times its size is made to fill memory.
public func unpackedLimit(ofStored byteCount: Int) -> Int {
  let (product, overflows) = byteCount.multipliedReportingOverflow(by: 20)
  return max(overflows ? .max : product, 1 << 28)
}
