#pragma once

#include "common/macro.h"

/* The logs of ended and active tasks, as those see them that read: see common/log-file.h for the
 * files. All give 0 or -errno. */

#define TASK_LOG_READ_MAX (1 * MIB)

/* The log, open for reading; an empty one is made when the task has not printed anything yet, so
 * that whoever holds the descriptor sees what comes. The caller closes it. */
int task_log_open(const char *dir, uint64_t id);
/* The same of its index. */
int task_log_open_index(const char *dir, uint64_t id);

/* Where the log is, as a fresh string; "" for a path that cannot be told. NULL: memory is short. */
char *task_log_path(const char *dir, uint64_t id);

/* Reads up to size bytes (at most TASK_LOG_READ_MAX) from an offset, or, where those are left out,
 * from behind the gap; gives how many, 0 at the end or without a log, and the offset behind them.
 */
int task_log_read(const char *dir, uint64_t id, uint64_t offset, void *buf, size_t size,
                  uint64_t *ret_next);

/* Bytes that were written to the log, those that are left out too; 0 without a log. */
uint64_t task_log_size(const char *dir, uint64_t id);

/* Bytes that the log and its index take on the disk; 0 when there are none. */
uint64_t task_log_kept(const char *dir, uint64_t id);

/* Deletes the log and its index; none there is fine. */
void task_log_remove(const char *dir, uint64_t id);

/* The highest id of a task that has a log; 0 when there is none. */
uint64_t task_log_highest_id(const char *dir);
