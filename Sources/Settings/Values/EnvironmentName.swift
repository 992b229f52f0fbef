/// The environment variables that say the same as a key of the configuration file.
package enum EnvironmentName: String, CaseIterable, Sendable {
  case backupDirectory = "HRP_BACKUP_DIR"
  case database = "HRP_DB_PATH"
  case trackingURI = "MLFLOW_TRACKING_URI"
  case noBackup = "HRP_NO_BACKUP"
  case undoDays = "HRP_UNDO_DAYS"
  case logLevel = "LOG_LEVEL"
}
