package import Files
package import SystemPackage

/// The programs of this machine that send notices.
package struct NoticePrograms: Sendable {
  /// Sends over HTTP and SMTP; nil when there is none.
  package let curl: FilePath?
  /// Sends e-mails the way that this machine has; nil when there is none.
  package let sendmail: FilePath?

  package init(curl: FilePath?, sendmail: FilePath?) {
    self.curl = curl
    self.sendmail = sendmail
  }

  /// Looks for them on `PATH`; `sendmail` also where systems have it by custom.
  package init(files: any FileSystem) {
    let path = ThisProcess.environment("PATH") ?? "/usr/bin:/bin"
    self.init(
      curl: Self.find("curl", path: path, files: files),
      sendmail: Self.find("sendmail", path: path + ":/usr/sbin:/usr/lib", files: files))
  }

  /// The first program of this name on a path; a place that cannot be looked at is passed over, as a shell does.
  static func find(_ name: String, path: String, files: any FileSystem) -> FilePath? {
    path.split(separator: ":").map { FilePath(String($0)).appending(name) }.first { candidate in
      guard candidate.isAbsolute, let real = RealPath.of(candidate),
        let status = forPeople({ try files.status(real, at: nil) })
      else { return false }
      return status.kind == .regular && status.permissions & 0o111 != 0
    }
  }
}

/// The program that speaks HTTP and SMTP for us.
package enum Curl {
  /// Where curl is on `PATH`; nil when there is none.
  package static func find(files: any FileSystem = Kernel()) -> FilePath? { NoticePrograms(files: files).curl }
}
