#pragma once

#include "daemon/store/store-db.h"

/* The statements that a connection keeps prepared. */
typedef enum StoreStatement {
    STATEMENT_INSERT_TASK,
    STATEMENT_UPDATE_TASK, /* one that stays active */
    STATEMENT_END_TASK,
    STATEMENT_INSERT_REQUEST,
    STATEMENT_FIND_ENV,
    STATEMENT_INSERT_ENV,
    STATEMENT_FIND_TASK_ENV,
    STATEMENT_DELETE_TASK,
    STATEMENT_DELETE_REQUEST,
    STATEMENT_DELETE_RESULT,
    STATEMENT_DELETE_ENV, /* if no task has it */
    STATEMENT_PUT_RESULT,
    STATEMENT_PUT_ATTEMPT,
    STATEMENT_DELETE_ATTEMPTS,
    STATEMENT_PUT_GROUP,
    STATEMENT_DELETE_GROUP,
    STATEMENT_PUT_RESOURCE,
    STATEMENT_DELETE_RESOURCE,
    STATEMENT_PUT_BACKEND,
    STATEMENT_DELETE_BACKEND,
    STATEMENT_PUT_OPERATION,
    STATEMENT_DELETE_OPERATION,
    STATEMENT_PUT_META,
    STATEMENT_RAISE_ID, /* the highest that was ever given out */
    STATEMENT_READ_TASK,
    STATEMENT_READ_ATTEMPTS,
    STATEMENT_READ_END, /* how one has ended */
    STATEMENT_READ_ENV,
    STATEMENT_READ_RESULT,
    _STATEMENT_MAX,
} StoreStatement;

int store_statement(StoreDb *d, StoreStatement statement, sqlite3_stmt **ret);

/* Runs one that takes an id and, unless it is NULL, a text. */
int store_statement_run(StoreDb *d, StoreStatement statement, uint64_t id, const char *text);
