/// The product of sizes that a file states, which may be anything; nil if it overflows.
package func checkedProduct(_ sizes: [Int]) -> Int? {
  var product = 1
  for size in sizes {
    let (next, overflows) = product.multipliedReportingOverflow(by: size)
    if overflows { return nil }
    product = next
  }
  return product
}
