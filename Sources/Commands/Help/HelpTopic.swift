/// A page of `hrp help` that explains no command, but something that many commands share.
enum HelpTopic: String, CaseIterable {
  case references
  case places
  case schedule
  case exitCodes = "exit-codes"
  case environment

  /// The topic that the words of a command line ask for; nil when they ask for something else.
  init?(arguments: [String]) {
    guard arguments.count == 2, arguments[0] == "help" else { return nil }
    self.init(rawValue: arguments[1])
  }

  /// What it is about, in one line.
  var title: String {
    switch self {
    case .references: "How a backup is named: a number, a name, latest, a path, PLACE:NAME"
    case .places: "Second places: copies of backups on another disk"
    case .schedule: "Backups by themselves: jobs, times, services"
    case .exitCodes: "What the exit code of a command says"
    case .environment: "Where the stack is, and the variables that hrp reads"
    }
  }

  /// The whole page, lines of at most 100 columns.
  var text: String { title + "\n\n" + body }

  private var body: String {
    switch self {
    case .references: Self.referencesText
    case .places: Self.placesText
    case .schedule: Self.scheduleText
    case .exitCodes: Self.exitCodesText
    case .environment: Self.environmentText
    }
  }

  private static let referencesText = """
    Every command that takes a BACKUP takes one of these:

      latest                      the newest backup
      latest-valid                the newest that a drill has proven and that verifies; where there is
                                  none, the newest that verifies
      3                           the third of hrp backup list
      backup_20260124_020000      the name of its directory
      ~/old/backup_20260124_020000
                                  a path; it need not be in the list
      offsite:latest              the same in a second place (hrp help places)

    Examples:
      hrp backup verify latest
      hrp backup show 2
      hrp backup restore offsite:backup_20260124_020000 --target-dir ~/elsewhere
    """

  private static let placesText = """
    A place is a directory on another disk, or on another machine's disk that is mounted. A copy of a
    backup there is complete: it can be listed, verified, drilled and restored, also without hrp.

      hrp backup copy latest /mnt/usb/hrp --new-place     the first copy; it makes the directory a place
      hrp backup copy latest /mnt/usb/hrp                 from then on
      hrp backup list --at /mnt/usb/hrp
      hrp backup restore /mnt/usb/hrp:latest --target-dir ~/elsewhere

    A place in config/hrp.yaml has a name, and every scheduled backup is copied to it:

      places:
        offsite:
          path: /mnt/usb/hrp

      hrp backup list --at offsite
      hrp backup drill offsite:latest

    A place that is not mounted is never taken for an empty one: its directory holds a marker.
    """

  private static let scheduleText = """
    A scheduler makes backups when they are due, verifies them, drills them once a week, deletes old
    ones, and copies them to the second places. Without a configuration: every Saturday at 02:00 in
    New York, and backups of the last 30 days stay.

      hrp scheduler run                   in the foreground
      hrp service install                 as a service of this machine, from now on
      hrp scheduler list-jobs             the jobs and their next run
      hrp scheduler history               what was run, and how it ended
      hrp scheduler run-now weekly_backup
      hrp status                          is this stack protected?

    Other times, in config/hrp.yaml (hrp config init writes the file with every key):

      timezone: Europe/Berlin
      jobs:
        nightly:
          every: day
          time: "01:30"

    A run that was missed, because the machine slept or was off, is caught up. Where there is no
    systemd and no launchd, cron can run what is due:

      * * * * * hrp scheduler run --once -q
    """

  private static let exitCodesText = """
      0     done
      1     failed; also: a verification found damage
      2     the words of the command are wrong
      3     done in part: some files could not be read, and each is named
      10    not found: database, backup or directory
      11    busy: another process holds what is needed, and is named
      14    not enough disk space
      15    hrp status: the stack is not protected
      130   stopped by SIGINT (Ctrl-C): nothing is left behind
      143   stopped by SIGTERM: nothing is left behind

    With --json an error is one object on stdout: {"error": {"code": …, "message": …, "remedy": …}}.
    Its codes are stable: scripts may compare them.
    """

  private static let environmentText = """
    Where the stack is:
      HRP_DATA_DIR            the data directory; else the folder of HRP_DB_PATH, else ~/hrp-data
      HRP_DB_PATH             the database; else hrp.duckdb in the data directory
      MLFLOW_TRACKING_URI     a local place of MLflow; else mlflow/ in the data directory
      HRP_BACKUP_DIR          the backups; else backups/ in the data directory

    What hrp does:
      HRP_NO_BACKUP=1         make no backups on this machine
      HRP_UNDO_DAYS=7         keep what a restore replaced so long
      LOG_LEVEL=info          write this and what is worse to logs/backup.log
      NO_COLOR=1              no progress line and no colour
      HRP_OPS_HOST, HRP_OPS_PORT, HRP_OPS_TOKEN
                              where hrp ops listens; the token of its actions

    Notices:
      HRP_ENVIRONMENT         a word that every notice carries, such as production
      HRP_PING_URL, HRP_WEBHOOK_URL, HRP_WEBHOOK_TOKEN, HRP_SMTP_PASSWORD, RESEND_API_KEY
                              secrets, which need not stand in the configuration
      NOTIFICATION_EMAIL, NOTIFICATION_FROM_EMAIL
                              who gets e-mails, and from whom

    Programs:
      HRP_EXECUTABLE          the program hrp, for programs that use the library
      HRP_DUCKDB_LIBRARY      the path of DuckDB's library

    What your own commands (notices.commands) are told:
      HRP_EVENT, HRP_JOB, HRP_STATE, HRP_MESSAGE, HRP_BACKUP_NAME, HRP_BACKUP_PATH

    A flag wins over a variable, a variable over config/hrp.yaml, that over the default. hrp config
    show says for each value where it comes from.
    """
}
