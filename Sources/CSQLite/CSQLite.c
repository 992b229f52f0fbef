#include "CSQLite.h"

#include <sqlite3.h>

int hrp_sqlite_distrust(void *database, int maximum_bytes) {
  static const int settings[][2] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
  };
  for (unsigned i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    int result = sqlite3_db_config(database, settings[i][0], settings[i][1], (int *)0);
    if (result != SQLITE_OK) return result;
  }
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, maximum_bytes);
  sqlite3_limit(database, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_limit(database, SQLITE_LIMIT_COLUMN, 1000);
  sqlite3_limit(database, SQLITE_LIMIT_EXPR_DEPTH, 100);
  sqlite3_limit(database, SQLITE_LIMIT_COMPOUND_SELECT, 20);
  sqlite3_limit(database, SQLITE_LIMIT_VDBE_OP, 250000);
  sqlite3_limit(database, SQLITE_LIMIT_FUNCTION_ARG, 16);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(database, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
  sqlite3_limit(database, SQLITE_LIMIT_TRIGGER_DEPTH, 10);
  sqlite3_limit(database, SQLITE_LIMIT_WORKER_THREADS, 0);
  return SQLITE_OK;
}

void hrp_sqlite_ask(void *database, int steps, int (*ends)(void *), void *context) {
  sqlite3_progress_handler(database, steps, ends, context);
}
