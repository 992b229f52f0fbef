/// The environment variables that say the same as a key of the configuration file.
package enum EnvironmentName: String, CaseIterable, Sendable {
  case backupDirectory = "HRP_BACKUP_DIR"
  case database = "HRP_DB_PATH"
  case trackingURI = "MLFLOW_TRACKING_URI"
  case noBackup = "HRP_NO_BACKUP"
  case undoDays = "HRP_UNDO_DAYS"
  case logLevel = "LOG_LEVEL"
  case opsHost = "HRP_OPS_HOST"
  case opsPort = "HRP_OPS_PORT"
  /// The token that actions of the ops server need.
  case opsToken = "HRP_OPS_TOKEN"
  case pingAddress = "HRP_PING_URL"
  case webhookAddress = "HRP_WEBHOOK_URL"
  case webhookToken = "HRP_WEBHOOK_TOKEN"
  case mailPassword = "HRP_SMTP_PASSWORD"
  /// A word that every notice carries, such as "production".
  case environment = "HRP_ENVIRONMENT"
  /// Who gets e-mails; a variable of the Python tool.
  case mailReceiver = "NOTIFICATION_EMAIL"
  /// Who sends them; a variable of the Python tool.
  case mailSender = "NOTIFICATION_FROM_EMAIL"
  /// The key for the e-mail service Resend; a variable of the Python tool.
  case resendKey = "RESEND_API_KEY"
}
