#pragma once

#include "client-gtk/log/log-decoder.h"
#include "client-gtk/log/log-scan.h"
#include "common/log-index.h"

/* Some rows of a log, one after the other, decoded: what a thread hands to the window. */

typedef struct LogBlockRow {
    guint64 offset;
    guint text;     /* where it begins in the text, in characters */
    LogStyle style; /* with which it begins */
    LogStream stream;
} LogBlockRow;

/* From where one can go on. */
typedef struct LogPlace {
    guint64 row;    /* where a row begins */
    guint64 from;   /* where its bytes are read from, see LogRow; 0: from there */
    LogStyle style; /* with which it begins */
} LogPlace;

typedef struct LogBlock {
    guint64 begin; /* of its first row */
    LogPlace end;  /* behind its last row that has ended */
    gboolean open; /* there is one row more, which has not: end is its beginning */
    guint64 size;  /* of the log */
    gboolean removed;
    GString *text; /* every row ends in a line feed */
    guint characters;
    GArray *rows; /* LogBlockRow */
    GArray *runs; /* LogRun, counted from the beginning of the text */
} LogBlock;

/* The files of a log. */
typedef struct LogFiles {
    int log;
    int index; /* negative: which stream a row is of is not asked for */
} LogFiles;

/* Each gives 0 or -errno, and a block that may be empty. */

/* The rows from a place on: so many, and few more than so many bytes. */
int log_block_read_after(const LogFiles *f, const LogPlace *place, guint rows, gsize bytes,
                         LogBlock **ret);

/* Rows that end where the one at offset begins, likewise; from the end of the log for
 * G_MAXUINT64, and then with the one that has not ended. */
int log_block_read_before(const LogFiles *f, guint64 offset, guint rows, gsize bytes,
                          LogBlock **ret);

/* Rows around the one that the byte at offset is part of. */
int log_block_read_around(const LogFiles *f, guint64 offset, guint rows, gsize bytes,
                          LogBlock **ret);

void log_block_free(LogBlock *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogBlock, log_block_free)
