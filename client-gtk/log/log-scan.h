#pragma once

#include <glib.h>

/* Goes through a log, row by row. A row is a line, or a part of a line that is too long for one:
 * where LOG_SCAN_CUT bytes from one multiple of it to the next have neither a line feed nor a
 * carriage return among them, a row ends at that multiple. So everybody finds the same rows,
 * wherever he begins. A line that a program writes over and over (progress) stays one row.
 *
 * What is left out of a log is passed over: a row ends before the gap, another begins behind it.
 *
 * All of it is meant for threads: it reads from a disk. */

#define LOG_SCAN_CUT 2048

/* Of a line that is written over and over, the last so many bytes are what is shown. */
#define LOG_SCAN_ROW_MAX (64 * 1024)

typedef struct LogRow {
    guint64 offset; /* where it begins: its name */
    guint64 end;    /* where the next one begins */
    const char *data;
    gsize size;         /* without the line feed */
    gboolean continued; /* it goes on with the line of the row before */
    guint64 from;       /* where data begins, above offset when the beginning was left out */
} LogRow;

typedef struct LogScan {
    int fd; /* not owned */
    char *buffer;
    gsize at, size;   /* of what is in the buffer */
    gsize looked;     /* bytes from at that have been looked at: there is no end of a row */
    guint64 offset;   /* of the byte at at */
    guint64 row;      /* where the row begins that it is part of */
    gboolean cut;     /* the row before was cut there */
    gboolean at_end;  /* there was nothing more to read, the last time */
    guint64 left_out; /* bytes that were passed over, as they were not there any more */
} LogScan;

/* Begins at a row. from: where its bytes are read from, see LogRow; else the same as row. */
void log_scan_init(LogScan *s, int fd, guint64 row, guint64 from);
void log_scan_done(LogScan *s);

/* Gives the next row, which is valid until the next call: 1; 0 when there is none by now that has
 * ended; or -errno. */
int log_scan_next(LogScan *s, LogRow *ret);

/* After a 0: the row that has not ended yet; FALSE when it has no bytes. */
gboolean log_scan_open_row(LogScan *s, LogRow *ret);

/* ---- where rows begin ---- */

/* Gives the beginning of the row that the byte at offset is part of: 0, or -errno. An offset in the
 * gap, or at the end of the log, is taken for a beginning. */
int log_scan_row_at(int fd, guint64 offset, guint64 *ret);

/* Where the bytes end that lie before offset: offset itself, or where the gap begins when that
 * is just before offset. */
guint64 log_scan_data_before(int fd, guint64 offset);

/* Where there are bytes again, at offset or behind. */
guint64 log_scan_data_at(int fd, guint64 offset);
