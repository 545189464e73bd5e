extension JSONValue {
  /// This value after a JSON Merge Patch (RFC 7396): members of an object patch are merged one by one, a member
  /// that is null goes, and a patch that is no object takes the place of what was there.
  ///
  /// `{"a": "b"}` with `{"a": null, "c": 1}` gives `{"c": 1}`. Members keep their order; new ones come last.
  /// Of equal names the last counts. Cost: members of this × members of the patch.
  public func merging(_ patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var result: [(String, JSONValue)] = []
    for member in members ?? [] {
      if let index = result.firstIndex(where: { $0.0 == member.0 }) {
        result[index] = member
      } else {
        result.append(member)
      }
    }
    for (name, change) in changes {
      let index = result.firstIndex { $0.0 == name }
      switch (index, change) {
      case (let index?, .null): result.remove(at: index)
      case (nil, .null): break
      case (let index?, _): result[index].1 = result[index].1.merging(change)
      // Merged with nothing, so that nulls inside do not come to stand in the result.
      case (nil, _): result.append((name, JSONValue.null.merging(change)))
      }
    }
    return .object(result)
  }
}
