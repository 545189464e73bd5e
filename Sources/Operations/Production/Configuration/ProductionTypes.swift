import Devices
import Telemetry

extension YAMLType where Value == YAMLValue {
  /// Whatever stands there, with its place.
  static var value: YAMLType { YAMLType { $0 } }
}

extension YAMLValue {
  /// The text of a scalar, without a report when it is something else: that is reported where it is read.
  var quietText: String? { isScalar ? read(.string) : nil }
}

extension YAMLType where Value == IdealCycle {
  /// `1.2 s` or `900 parts/h`.
  static var idealCycle: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if let cycle = IdealCycle(text) { return cycle }
      value.report(
        "`\(value.path)` must be a time per part such as `1.2 s`, or a rate such as `900 parts/h`,"
          + " above zero; found `\(text)`")
      return nil
    }
  }
}

extension YAMLType where Value == Fraction {
  /// A share from 0 to 1.
  static var share: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if let share = DecimalText.fraction(text), !share.isNegative, share <= Fraction(1) {
        return share
      }
      value.report("`\(value.path)` must be a share from 0 to 1, found `\(text)`")
      return nil
    }
  }
}

extension YAMLType where Value == LocalDate {
  static var date: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if let date = LocalDate(text) { return date }
      value.report("`\(value.path)` must be a date such as `2026-12-24`, found `\(text)`")
      return nil
    }
  }
}

extension YAMLType where Value == TimeOfDay {
  static var timeOfDay: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if let time = TimeOfDay(text) { return time }
      value.report("`\(value.path)` must be a time of day such as `06:00`, found `\(text)`")
      return nil
    }
  }
}

extension YAMLType where Value == MachineState {
  static var machineState: YAMLType {
    choice(of: MachineState.names) { MachineState(name: $0) }
  }
}

extension YAMLType where Value == TimeFactor {
  static var timeFactor: YAMLType { choice(of: TimeFactor.names) { TimeFactor(name: $0) } }
}
