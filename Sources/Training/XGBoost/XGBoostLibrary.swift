import Glibc

/// The few functions of XGBoost's C interface that training needs, loaded when they are first wanted.
///
/// Signatures are those of xgboost/c_api.h of version 1.7. Loading at run time keeps the gateway small
/// and lets it start and score on a box without the library; only training needs it.
struct XGBoostLibrary: Sendable {
  typealias Handle = UnsafeMutableRawPointer

  /// `const char *XGBGetLastError()`: what the last failed call of this thread said.
  let lastError: @convention(c) () -> UnsafePointer<CChar>?
  /// `int XGDMatrixCreateFromMat(const float *data, bst_ulong nrow, bst_ulong ncol, float missing,
  /// DMatrixHandle *out)`
  let matrixCreate:
    @convention(c) (
      UnsafePointer<Float>?, UInt64, UInt64, Float, UnsafeMutablePointer<Handle?>?
    ) -> CInt
  /// `int XGDMatrixSetFloatInfo(DMatrixHandle handle, const char *field, const float *array,
  /// bst_ulong len)`
  let matrixSetFloats:
    @convention(c) (Handle?, UnsafePointer<CChar>?, UnsafePointer<Float>?, UInt64) -> CInt
  /// `int XGDMatrixFree(DMatrixHandle handle)`
  let matrixFree: @convention(c) (Handle?) -> CInt
  /// `int XGBoosterCreate(const DMatrixHandle dmats[], bst_ulong len, BoosterHandle *out)`
  let boosterCreate:
    @convention(c) (UnsafePointer<Handle?>?, UInt64, UnsafeMutablePointer<Handle?>?) -> CInt
  /// `int XGBoosterSetParam(BoosterHandle handle, const char *name, const char *value)`
  let boosterSet: @convention(c) (Handle?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> CInt
  /// `int XGBoosterUpdateOneIter(BoosterHandle handle, int iter, DMatrixHandle dtrain)`
  let boosterUpdate: @convention(c) (Handle?, CInt, Handle?) -> CInt
  /// `int XGBoosterPredict(BoosterHandle handle, DMatrixHandle dmat, int option_mask,
  /// unsigned ntree_limit, int training, bst_ulong *out_len, const float **out_result)`
  let boosterPredict:
    @convention(c) (
      Handle?, Handle?, CInt, CUnsignedInt, CInt, UnsafeMutablePointer<UInt64>?,
      UnsafeMutablePointer<UnsafePointer<Float>?>?
    ) -> CInt
  /// `int XGBoosterSaveModelToBuffer(BoosterHandle handle, const char *config, bst_ulong *out_len,
  /// const char **out_dptr)`
  let boosterSave:
    @convention(c) (
      Handle?, UnsafePointer<CChar>?, UnsafeMutablePointer<UInt64>?,
      UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) -> CInt
  /// `int XGBoosterFree(BoosterHandle handle)`
  let boosterFree: @convention(c) (Handle?) -> CInt

  static let fileName = "libxgboost.so.0"

  /// Loaded once for the process and never unloaded: its OpenMP threads outlive every booster.
  private static let loaded = Result { () throws(TrainingError) in try load(fileName) }

  /// - Throws: `TrainingError.libraryMissing` with the package to install.
  static func shared() throws(TrainingError) -> XGBoostLibrary { try loaded.get() }

  static func load(_ file: String) throws(TrainingError) -> XGBoostLibrary {
    guard let image = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
      throw .libraryMissing(detail: dlerror().map { String(cString: $0) } ?? "dlopen failed")
    }
    return XGBoostLibrary(
      lastError: try symbol(image, "XGBGetLastError"),
      matrixCreate: try symbol(image, "XGDMatrixCreateFromMat"),
      matrixSetFloats: try symbol(image, "XGDMatrixSetFloatInfo"),
      matrixFree: try symbol(image, "XGDMatrixFree"),
      boosterCreate: try symbol(image, "XGBoosterCreate"),
      boosterSet: try symbol(image, "XGBoosterSetParam"),
      boosterUpdate: try symbol(image, "XGBoosterUpdateOneIter"),
      boosterPredict: try symbol(image, "XGBoosterPredict"),
      boosterSave: try symbol(image, "XGBoosterSaveModelToBuffer"),
      boosterFree: try symbol(image, "XGBoosterFree"))
  }

  private static func symbol<Function>(
    _ image: UnsafeMutableRawPointer, _ name: String
  ) throws(TrainingError) -> Function {
    guard let address = dlsym(image, name) else { throw .librarySymbol(name) }
    // dlsym gives an address without a type; the type is the one quoted beside each property.
    return unsafeBitCast(address, to: Function.self)
  }

  func check(_ status: CInt, _ call: String) throws(TrainingError) {
    guard status != 0 else { return }
    let detail = lastError().map { String(cString: $0) } ?? "no reason given"
    // The first line; a stack trace follows.
    throw .xgboost(call: call, detail: String(detail.prefix { $0 != "\n" }))
  }
}
