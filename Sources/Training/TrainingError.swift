/// Why a model could not be trained.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// The shared library is not there; `detail` is what the loader said.
  case libraryMissing(detail: String)
  /// The library is there but is not the one we know.
  case librarySymbol(String)
  /// What XGBoost itself said.
  case xgboost(call: String, detail: String)
  /// The model that XGBoost gave back cannot be read.
  case model(String)
  /// The rows cannot be trained on.
  case rows(String)

  public var description: String {
    switch self {
    case .libraryMissing(let detail):
      "training trees needs libxgboost0: apt install libxgboost0 (\(detail))"
    case .librarySymbol(let name):
      "libxgboost.so.0 has no function \(name); version 1.7 is needed: apt install libxgboost0"
    case .xgboost(let call, let detail): "XGBoost refused \(call): \(detail)"
    case .model(let detail): "the trees that XGBoost trained cannot be read: \(detail)"
    case .rows(let detail): "the rows cannot be trained on: \(detail)"
    }
  }
}
