// The calls of SQLite that Swift cannot reach, because they take any number of arguments, or that GRDB does not offer.
#pragma once

// No header of SQLite: its types would come to Swift from here as well as from GRDB.
#include <stdint.h>

/// Makes a connection safe for a database that a stranger made: no trigger and no view runs, nothing that the schema says
/// is trusted, no value is longer than so many bytes. `database` is a `sqlite3 *`. 0, or SQLite's result code.
int hrp_sqlite_distrust(void *database, int maximum_bytes);
/// Asks a function every so many steps whether to go on; 1 ends the statement with SQLITE_INTERRUPT.
void hrp_sqlite_ask(void *database, int steps, int (*ends)(void *context), void *context);
