// DuckDB's C library, loaded at run time: the few calls that a proof needs, as text in and text out.
//
// The declarations are those of DuckDB's duckdb.h, whose C interface is kept stable from version to version; found in
// 1.2.2, 1.3.2, 1.4.5, 1.5.6 and 2.0.1 by name.
#pragma once

#include <stdint.h>

typedef struct hrp_engine hrp_engine;

/// Loads the library; NULL and a text in `error` when that fails.
hrp_engine *hrp_engine_load(const char *path, char *error, int64_t size);
/// The library's version, such as "v2.0.1".
const char *hrp_engine_version(const hrp_engine *engine);
/// Opens a database; `settings` are names and values in turn, ended by NULL. 0, or 1 and a text in `error`.
int hrp_engine_open(hrp_engine *engine, const char *database, const char *const *settings, char *error, int64_t size);
/// Closes the database, which may be opened again; none need be open.
void hrp_engine_close(hrp_engine *engine);
/// Takes one row: a text and its length for each column, NULL where there is none. Not 0: no more rows are wanted.
typedef int (*hrp_engine_row)(void *context, int64_t columns, const char *const *values, const int64_t *lengths);
/// Runs a statement whose columns are all VARCHAR (or that has no result). 0, or 1 and a text in `error`.
int hrp_engine_query(
  hrp_engine *engine, const char *sql, hrp_engine_row row, void *context, char *error, int64_t size);
