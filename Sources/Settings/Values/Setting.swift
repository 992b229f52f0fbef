/// A value with the place that it comes from.
package struct Setting<Value: Sendable>: Sendable {
  package let value: Value
  package let source: SettingSource

  package init(_ value: Value, from source: SettingSource) {
    self.value = value
    self.source = source
  }

  /// The first of: a flag, an environment variable, a line of the file, the default.
  package static func first(
    flag: (name: String, value: Value)? = nil, environment: (name: String, value: Value)? = nil,
    file: (value: Value, line: Int)? = nil, standard: Value
  ) -> Setting {
    if let flag { return Setting(flag.value, from: .flag(flag.name)) }
    if let environment { return Setting(environment.value, from: .environment(environment.name)) }
    if let file { return Setting(file.value, from: .file(line: file.line)) }
    return Setting(standard, from: .standard)
  }
}

extension Setting: Equatable where Value: Equatable {}
