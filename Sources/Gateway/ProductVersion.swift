/// The version of this build, as `--version`, the journal and the API say it.
public enum ProductVersion {
  public static let text = "0.1.0"
}
