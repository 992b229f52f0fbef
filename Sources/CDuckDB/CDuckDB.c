#include "CDuckDB.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As in duckdb.h.
typedef uint64_t idx_t;
typedef struct {
  idx_t deprecated_column_count, deprecated_row_count, deprecated_rows_changed;
  void *deprecated_columns;
  char *deprecated_error_message;
  void *internal_data;
} duckdb_result;
typedef union {
  struct {
    uint32_t length;
    char prefix[4];
    char *pointer;
  } far;
  struct {
    uint32_t length;
    char text[12];
  } near;
} duckdb_string_t;
enum { DUCKDB_TYPE_INVALID = 0, DUCKDB_TYPE_VARCHAR = 17 };

#define FUNCTIONS(F)                                                                                                   \
  F(const char *, library_version, (void))                                                                             \
  F(int, create_config, (void **config))                                                                               \
  F(int, set_config, (void *config, const char *name, const char *option))                                             \
  F(void, destroy_config, (void **config))                                                                             \
  F(int, open_ext, (const char *path, void **database, void *config, char **error))                                    \
  F(int, connect, (void *database, void **connection))                                                                 \
  F(void, disconnect, (void **connection))                                                                             \
  F(void, close, (void **database))                                                                                    \
  F(int, query, (void *connection, const char *sql, duckdb_result *result))                                            \
  F(const char *, result_error, (duckdb_result * result))                                                              \
  F(idx_t, column_count, (duckdb_result * result))                                                                     \
  F(int, column_type, (duckdb_result * result, idx_t column))                                                          \
  F(void *, fetch_chunk, (duckdb_result result))                                                                       \
  F(idx_t, data_chunk_get_size, (void *chunk))                                                                         \
  F(void *, data_chunk_get_vector, (void *chunk, idx_t column))                                                        \
  F(void *, vector_get_data, (void *vector))                                                                           \
  F(uint64_t *, vector_get_validity, (void *vector))                                                                   \
  F(void, destroy_data_chunk, (void **chunk))                                                                          \
  F(void, destroy_result, (duckdb_result * result))                                                                    \
  F(void, free, (void *pointer))

struct hrp_engine {
#define FIELD(type, name, arguments) type(*name) arguments;
  FUNCTIONS(FIELD)
  void *database, *connection;
};

static int fail(char *error, int64_t size, const char *text) {
  snprintf(error, (size_t)size, "%s", text ? text : "no reason given");
  return 1;
}

hrp_engine *hrp_engine_load(const char *path, char *error, int64_t size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fail(error, size, dlerror()), NULL;
  hrp_engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL) return fail(error, size, "no memory"), NULL;
#define FIND(type, name, arguments)                                                                                    \
  engine->name = (type(*) arguments)dlsym(library, "duckdb_" #name);                                                   \
  if (engine->name == NULL) return free(engine), fail(error, size, "it has no function duckdb_" #name), NULL;
  FUNCTIONS(FIND)
  return engine;
}

const char *hrp_engine_version(const hrp_engine *engine) { return engine->library_version(); }

int hrp_engine_open(hrp_engine *engine, const char *database, const char *const *settings, char *error, int64_t size) {
  void *config = NULL;
  if (engine->create_config(&config) != 0) return fail(error, size, "no memory for settings");
  for (; settings[0] != NULL; settings += 2) {
    if (engine->set_config(config, settings[0], settings[1]) == 0) continue;
    engine->destroy_config(&config);
    snprintf(error, (size_t)size, "the engine does not know the setting %s=%s", settings[0], settings[1]);
    return 1;
  }
  char *reason = NULL;
  int status = engine->open_ext(database, &engine->database, config, &reason);
  engine->destroy_config(&config);
  if (status != 0) fail(error, size, reason);
  if (reason != NULL) engine->free(reason);
  if (status != 0) return 1;
  return engine->connect(engine->database, &engine->connection) == 0 ? 0 : fail(error, size, "it cannot connect");
}

void hrp_engine_close(hrp_engine *engine) {
  if (engine->connection != NULL) engine->disconnect(&engine->connection);
  if (engine->database != NULL) engine->close(&engine->database);
  engine->connection = engine->database = NULL;
}

static int give_rows(
  hrp_engine *engine, void *chunk, idx_t columns, hrp_engine_row row, void *context, const char **values,
  int64_t *lengths) {
  idx_t count = engine->data_chunk_get_size(chunk);
  for (idx_t index = 0; index < count; index++) {
    for (idx_t column = 0; column < columns; column++) {
      void *vector = engine->data_chunk_get_vector(chunk, column);
      uint64_t *validity = engine->vector_get_validity(vector);
      duckdb_string_t *text = (duckdb_string_t *)engine->vector_get_data(vector) + index;
      int is_there = validity == NULL || (validity[index / 64] >> (index % 64) & 1);
      lengths[column] = is_there ? text->near.length : 0;
      values[column] = !is_there ? NULL : text->near.length <= 12 ? text->near.text : text->far.pointer;
    }
    if (row(context, (int64_t)columns, values, lengths) != 0) return 1;
  }
  return 0;
}

int hrp_engine_query(
  hrp_engine *engine, const char *sql, hrp_engine_row row, void *context, char *error, int64_t size) {
  duckdb_result result;
  memset(&result, 0, sizeof result);
  int status = engine->query(engine->connection, sql, &result) == 0 ? 0 : fail(error, size, engine->result_error(&result));
  idx_t columns = status == 0 && row != NULL ? engine->column_count(&result) : 0;
  for (idx_t column = 0; column < columns; column++) {
    if (engine->column_type(&result, column) != DUCKDB_TYPE_VARCHAR) status = fail(error, size, "a column is no text");
  }
  const char **values = calloc(columns + 1, sizeof *values);
  int64_t *lengths = calloc(columns + 1, sizeof *lengths);
  if (values == NULL || lengths == NULL) status = fail(error, size, "no memory");
  int is_done = 0;
  while (status == 0 && columns > 0 && !is_done) {
    void *chunk = engine->fetch_chunk(result);
    if (chunk == NULL) break;
    is_done = give_rows(engine, chunk, columns, row, context, values, lengths);
    engine->destroy_data_chunk(&chunk);
  }
  if (status == 0 && columns > 0) {
    // A failure while rows were made shows here.
    const char *late = engine->result_error(&result);
    if (late != NULL && late[0] != 0) status = fail(error, size, late);
  }
  free(values);
  free(lengths);
  engine->destroy_result(&result);
  return status;
}
