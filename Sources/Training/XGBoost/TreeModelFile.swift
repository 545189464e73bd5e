import Statistics
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// Reads the JSON that XGBoost saves a model as (its documentation: "Introduction to Model IO").
///
/// `learner.learner_model_param.base_score` is the prediction without trees, as a probability for the
/// logistic objective. Each of `learner.gradient_booster.model.trees` holds arrays with one number a
/// node: `left_children` (−1 at a leaf), `right_children`, `split_indices`, `split_conditions` (at a
/// leaf its value), `default_left` and `sum_hessian`.
enum TreeModelFile {
  static func read(_ bytes: [UInt8], featureCount: Int) throws(TrainingError) -> TreeEnsemble {
    let model: JSONValue
    do { model = try JSONReader.read(bytes) } catch {
      throw .model("\(error.detail) at byte \(error.offset)")
    }
    guard let learner = model["learner"],
      let score = learner["learner_model_param"]?["base_score"]?.text.flatMap(Double.init),
      let objective = learner["objective"]?["name"]?.text,
      let trees = learner["gradient_booster"]?["model"]?["trees"]?.elements
    else { throw .model("base_score, objective or trees are missing") }
    let base = objective == "binary:logistic" ? Logistic.logit(score) : score
    var ensemble = TreeEnsemble(featureCount: featureCount, base: base)
    for tree in trees {
      do { try ensemble.append(tree: try nodes(of: tree)) } catch let error as TreeEnsemble.Invalid
      {
        throw .model(error.description)
      } catch let error as TrainingError { throw error } catch {
        preconditionFailure("trees fail in two ways only: \(error)")
      }
    }
    return ensemble
  }

  private static func nodes(of tree: JSONValue) throws(TrainingError) -> [TreeEnsemble.Node] {
    let left = try numbers("left_children", tree)
    let right = try numbers("right_children", tree)
    let features = try numbers("split_indices", tree)
    let values = try numbers("split_conditions", tree)
    let missingLeft = try numbers("default_left", tree)
    let covers = try numbers("sum_hessian", tree)
    guard
      [right, features, values, missingLeft, covers].allSatisfy({ $0.count == left.count })
    else { throw .model("the columns of a tree have different lengths") }
    return left.indices.map { node in
      left[node] < 0
        ? .leaf(value: Float(values[node]), cover: Float(covers[node]))
        : .split(
          feature: Int(features[node]), threshold: Float(values[node]),
          missingGoesLeft: missingLeft[node] != 0, left: Int(left[node]), right: Int(right[node]),
          cover: Float(covers[node]))
    }
  }

  private static func numbers(
    _ name: String, _ tree: JSONValue
  ) throws(TrainingError) -> [Double] {
    guard let elements = tree[name]?.elements else { throw .model("\(name) is missing") }
    var result: [Double] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      switch element {
      case .number(let digits):
        guard let number = Double(digits), number.magnitude < 1e18 || name == "split_conditions"
        else { throw .model("\(name) holds \(digits)") }
        result.append(number)
      case .bool(let flag): result.append(flag ? 1 : 0)
      default: throw .model("\(name) holds something else than numbers")
      }
    }
    return result
  }
}
