/// Rows of numbers in one piece of memory, row after row: observations × features.
public struct Matrix: Sendable, Equatable {
  public private(set) var rowCount: Int
  public let columnCount: Int
  public private(set) var elements: [Double]

  /// A matrix of zeros; `rowCount` 0 begins one that grows by `append`.
  public init(rowCount: Int = 0, columnCount: Int) {
    precondition(rowCount >= 0 && columnCount >= 0, "a matrix has no negative size")
    self.rowCount = rowCount
    self.columnCount = columnCount
    elements = [Double](repeating: 0, count: rowCount * columnCount)
  }

  /// - Parameter rows: all of one length.
  public init(rows: [[Double]]) {
    self.init(columnCount: rows.first?.count ?? 0)
    elements.reserveCapacity(rows.count * columnCount)
    for row in rows { append(row) }
  }

  public mutating func append(_ row: some Collection<Double>) {
    precondition(row.count == columnCount, "a row has as many numbers as the matrix has columns")
    elements.append(contentsOf: row)
    rowCount += 1
  }

  @inlinable public subscript(row: Int, column: Int) -> Double {
    get { elements[row * columnCount + column] }
    set { set(row, column, newValue) }
  }

  @usableFromInline mutating func set(_ row: Int, _ column: Int, _ value: Double) {
    elements[row * columnCount + column] = value
  }

  public func row(_ index: Int) -> ArraySlice<Double> {
    elements[index * columnCount..<(index + 1) * columnCount]
  }

  public func column(_ index: Int) -> [Double] {
    (0..<rowCount).map { elements[$0 * columnCount + index] }
  }

  /// The rows at `indices`, in that order.
  public func rows(at indices: [Int]) -> Matrix {
    var picked = Matrix(columnCount: columnCount)
    picked.elements.reserveCapacity(indices.count * columnCount)
    for index in indices { picked.append(row(index)) }
    return picked
  }

  /// The columns at `indices`, in that order.
  public func columns(at indices: [Int]) -> Matrix {
    var picked = Matrix(columnCount: indices.count)
    picked.elements.reserveCapacity(indices.count * rowCount)
    for row in 0..<rowCount { picked.append(indices.map { self[row, $0] }) }
    return picked
  }
}
