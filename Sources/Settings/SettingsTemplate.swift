/// The configuration file that `hrp config init` writes: every key with what it means, and nothing switched on.
package enum SettingsTemplate {
  package static let text = """
    # The configuration of hrp. Flags and environment variables win over it.
    # Look at what holds: hrp config show. Look for mistakes: hrp config validate.

    # Where the backups are. A path that does not begin with / or ~ begins at the data directory.
    # The same as --backup-dir and HRP_BACKUP_DIR.
    #backup_dir: backups

    # The DuckDB database. The same as HRP_DB_PATH.
    #database: hrp.duckdb

    # Where MLflow is, when that is not mlflow/ in the data directory. The same as MLFLOW_TRACKING_URI.
    #mlflow_tracking_uri: sqlite:///mlflow.db

    # true: no backup is made on this machine. The same as HRP_NO_BACKUP=1.
    #no_backup: false

    # For how many days a restore keeps what it replaced, for hrp backup undo: 0 to 36500. The same as HRP_UNDO_DAYS.
    #undo_days: 7

    # The least that is written to logs/backup.log: debug, info, warning, error or critical. The same as LOG_LEVEL.
    #log_level: info

    # How lines of the logs are written: text, or json for programs.
    #log_format: text

    # Whose clock says where a day, a week or a month begins: a name of the tz database.
    #timezone: America/New_York

    # Which backups hrp scheduler run makes, by a name of your choice. Without jobs the guide's holds: this one.
    #jobs:
    #  weekly_backup:
    #    every: week        # hour, day, week or month
    #    day: sat           # of a week: a day; of a month: 1 to 31, where 31 is also the last day of a shorter month
    #    time: "02:00"      # of the clock in the timezone; a job of every hour has minute: 0 instead
    #    mlflow: true       # false: the database only
    #    drill: weekly      # always, daily, weekly, monthly or never: no more often than this
    #    rotate: true       # false: old backups stay
    #    copy: true         # false: nothing is copied to the second places
    #    timeout_minutes: 60    # a run that tells of no progress for so long is ended
    #    retry_seconds: 60  # what failed because something was busy is tried again after this, then after 5 times this
    #    enabled: true

    # Which backups stay. A backup stays if any rule keeps it; no rule stands for keep_days: 30.
    # Say "hrp backup rotate --dry-run" to see what the rules would do.
    #retention:
    #  keep_days: 30        # everything younger than this
    #  keep_last: 5         # the last so many
    #  keep_hourly: 24      # the last one of each of so many hours
    #  keep_daily: 7        # the last one of each of so many days
    #  keep_weekly: 4
    #  keep_monthly: 12
    #  keep_yearly: 3
    #  keep_within: 2m      # everything so close to the newest: y, m, d and h
    #  trash_days: 3        # for so many days what was deleted can be brought back: 0 to 3650

    # Second places: directories on other disks, where scheduled backups are copied to. Each is begun once by hand, with
    # the disk mounted: hrp backup copy --new-place latest offsite
    #places:
    #  offsite:             # a name of your choice: hrp backup verify offsite:latest
    #    path: /mnt/usb/hrp-backups
    #    scheduled: true    # false: only hrp backup copy copies there
    #    id: "1234"         # only the place with this id in its .hrp-place; without it any place will do
    #    retention:         # which copies stay there; without it, the rules above
    #      keep_days: 365

    # When hrp status says that the stack is not protected.
    #status:
    #  backup_days: 8       # the newest verified backup is older; without it, the interval of the schedule and a day
    #  proof_days: 35       # the newest drill that passed is older
    #  size_factor: 2       # a backup is so many times as large, or as small, as the one before

    # Who is told what became of a backup: docs/operations/notices.md. Try it with hrp notify test.
    #notices:
    #  ping:                # for a service such as healthchecks.io: URL/start, URL, URL/fail
    #    url_file: ping-url # a file that holds only the address; or url: https://… for one that is no secret
    #  webhook:             # POST with a JSON body
    #    url_file: webhook-url
    #    token_file: webhook-token            # sent as "Authorization: Bearer …"
    #  email:
    #    to: me@example.org                   # an address, or a list of them
    #    from: hrp@example.org                # without it, the first of those that get it
    #    smtp: smtps://mail.example.org:465   # smtp:// or smtps://; without it, this machine's sendmail
    #    user: me
    #    password_file: mail-password
    #    tls: required      # optional: for a relay on this machine that has no certificate
    #  commands:            # for /bin/sh -c
    #    before_backup: ""  # before a scheduled backup; when it fails, no backup is made
    #    after_backup: ""   # after it, whatever became of it
    #    start: ""
    #    success: ""
    #    failure: ""

    # The ops server, hrp ops: docs/operations/ops-server.md.
    #ops:
    #  host: 127.0.0.1      # the same as --host and HRP_OPS_HOST
    #  port: 8080           # the same as --port and HRP_OPS_PORT
    #  allowed_hosts: []    # names under which it may be asked, besides localhost and addresses
    #  token_file: ops-token    # a file that holds the token for actions; without it there are none

    """
}
