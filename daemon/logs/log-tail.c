#include "daemon/logs/log-tail.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log-index.h"
#include "common/text.h"

/* One more than is shown of a line, so that a cut is seen to be one. */
#define PARTIAL_MAX (LOG_TAIL_LINE_MAX + 1)

/* A line that is not complete yet, of one stream. */
typedef struct Partial {
    char *data;        /* PARTIAL_MAX bytes, made with the first one */
    size_t size;       /* bytes kept */
    bool open;         /* a line has begun */
    bool headless;     /* its beginning was passed over */
    bool after_return; /* a \r has just ended a line: a \n now belongs to the same end of line */
    uint64_t offset;   /* where in the log it begins */
    uint64_t time_usec;
} Partial;

struct LogTail {
    char *dir;
    uint64_t id;
    int fd, index_fd;
    uint64_t offset; /* everything before has been read */
    bool headless;   /* what comes next is not the beginning of its line */
    LogIndex index;
    Partial partials[LOG_STREAM_LONGRUN + 1];
};

LogTail *log_tail_new(const char *dir, uint64_t id) {
    LogTail *t = calloc(1, sizeof(LogTail));

    if (!t)
        return NULL;
    t->dir = strdup(dir);
    t->id = id;
    t->fd = t->index_fd = -EBADF;
    if (!t->dir)
        return log_tail_free(t);
    return t;
}

void log_tail_skip(LogTail *t, uint64_t offset) {
    t->offset = offset;
}

LogTail *log_tail_free(LogTail *t) {
    if (!t)
        return NULL;
    close_fd(t->fd);
    close_fd(t->index_fd);
    for (size_t i = 0; i < ELEMENTSOF(t->partials); i++)
        free(t->partials[i].data);
    free(t->dir);
    free(t);
    return NULL;
}

static int open_ending(const LogTail *t, const char *ending) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), t->dir, t->id, ending);

    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int open_both(LogTail *t) {
    if (t->fd < 0) {
        t->fd = open_ending(t, ".log");
        if (t->fd < 0)
            return t->fd;
    }
    if (t->index_fd < 0) {
        t->index_fd = open_ending(t, ".idx");
        if (t->index_fd < 0)
            return t->index_fd;
    }
    return 0;
}

static char *line_text(const Partial *p) {
    const char *head = p->headless ? "…" : "";
    _cleanup_free_ char *text =
        text_clean(strempty(p->data), p->size, LOG_TAIL_LINE_MAX - strlen(head));
    char *line;

    if (!text || !p->headless)
        return TAKE_PTR(text);
    return asprintf(&line, "%s%s", head, text) < 0 ? NULL : line;
}

static int emit(Partial *p, LogStream stream, LogLines *lines) {
    char *text = line_text(p);

    if (!text)
        return -ENOMEM;
    if (lines->count == 0 || p->offset < lines->offset)
        lines->offset = p->offset;
    lines->lines[lines->count++] =
        (LogLine){.time_usec = p->time_usec, .stream = stream, .text = text};
    p->size = 0;
    p->open = false;
    return 0;
}

static int partial_add(LogTail *t, Partial *p, const char *data, size_t size, uint64_t offset) {
    if (!p->data) {
        p->data = malloc(PARTIAL_MAX);
        if (!p->data)
            return -ENOMEM;
    }
    if (!p->open) {
        p->open = true;
        p->offset = offset;
        p->time_usec = t->index.run.time_usec;
        p->headless = t->headless;
        t->headless = false;
    }
    size = MIN(size, PARTIAL_MAX - p->size);
    memcpy(p->data + p->size, data, size);
    p->size += size;
    return 0;
}

/* A line ends at \n, \r or \r\n; a \r that ends nothing is no empty line. */
static int end_line(LogTail *t, Partial *p, char terminator, LogStream stream, uint64_t offset,
                    LogLines *lines) {
    int r;

    if (terminator == '\n' && !p->open && !p->after_return) {
        r = partial_add(t, p, "", 0, offset);
        if (r < 0)
            return r;
    }
    t->headless = false;
    p->after_return = terminator == '\r' && (p->open || p->after_return);
    return p->open ? emit(p, stream, lines) : 0;
}

/* Takes bytes of one index entry, that is of one stream. */
static int add_bytes(LogTail *t, const char *data, size_t size, uint64_t offset, LogLines *lines) {
    LogStream stream = log_index_entry_stream(&t->index.run);
    int r;

    if ((size_t)stream >= ELEMENTSOF(t->partials))
        stream = LOG_STREAM_LONGRUN;
    Partial *p = &t->partials[stream];
    while (size > 0) {
        size_t n = 0;
        while (n < size && data[n] != '\n' && data[n] != '\r')
            n++;
        if (n > 0) {
            r = partial_add(t, p, data, n, offset);
            if (r < 0)
                return r;
        }
        if (n < size) {
            r = end_line(t, p, data[n], stream, offset + n, lines);
            if (r < 0)
                return r;
            n++;
        }
        data += n;
        offset += n;
        size -= n;
    }
    return 0;
}

/* Goes on further behind: unfinished lines are given up. */
static void pass_over(LogTail *t, uint64_t offset) {
    for (size_t i = 0; i < ELEMENTSOF(t->partials); i++) {
        t->partials[i].open = t->partials[i].after_return = false;
        t->partials[i].size = 0;
    }
    t->headless = false;
    t->offset = offset;
}

/* Where in the buffer the newest LOG_TAIL_LINES_MAX line ends have their lines; 0 when there are no
 * more. */
static size_t newest_lines(const char *data, size_t size) {
    size_t ends = 0;

    for (size_t i = size; i > 0; i--)
        if ((data[i - 1] == '\n' || data[i - 1] == '\r') && ends++ == LOG_TAIL_LINES_MAX)
            /* Not between \r and \n: that would make an empty line of the latter. */
            return data[i - 1] == '\r' && data[i] == '\n' ? i + 1 : i;
    return 0;
}

/* Reads from the offset on, or, when some of that is left out of the log, from behind the gap. It
 * may be made, or grow, at this moment: what is no hole after the read was none before. What was
 * not told of the head by then, is not: its end may have been written over. */
static ssize_t read_behind_gap(LogTail *t, uint64_t size, char *buffer, bool *passed_over) {
    while (t->offset < size) {
        uint64_t end;
        ssize_t n = pread(t->fd, buffer, size - t->offset, (off_t)t->offset);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (!gap_file_has_gap(t->fd, t->offset, (uint64_t)n, LOG_MARK_SIZE, &end))
            return n;
        pass_over(t, end);
        *passed_over = true;
    }
    return 0;
}

/* Where to begin when what comes before was passed over: at a line's beginning, but for a line that
 * would be cut anyway, which may be all that there is. */
static size_t first_line(LogTail *t, const char *buffer, size_t size) {
    const char *end = memchr(buffer, '\n', size);

    t->headless = !end || end - buffer > (ptrdiff_t)LOG_TAIL_LINE_MAX;
    return t->headless ? 0 : (size_t)(end + 1 - buffer);
}

/* Reads what is new, of a burst the newest part. Gives the bytes, and how many to pass over. */
static ssize_t read_new(LogTail *t, uint64_t size, char *buffer, size_t *ret_skip) {
    bool passed_over = size - t->offset > LOG_TAIL_BURST_MAX;

    if (passed_over)
        pass_over(t, size - LOG_TAIL_BURST_MAX);
    ssize_t n = read_behind_gap(t, size, buffer, &passed_over);
    if (n <= 0)
        return n;
    size_t skip = newest_lines(buffer, (size_t)n);
    if (skip > 0)
        pass_over(t, t->offset);
    else if (passed_over)
        skip = first_line(t, buffer, (size_t)n);
    *ret_skip = skip;
    return n;
}

static int emit_unfinished(LogTail *t, LogLines *lines) {
    int r;

    for (size_t i = 0; i < ELEMENTSOF(t->partials); i++)
        if (t->partials[i].open) {
            r = emit(&t->partials[i], (LogStream)i, lines);
            if (r < 0)
                return r;
        }
    return 0;
}

static int read_lines(LogTail *t, uint64_t size, char *buffer, LogLines *lines) {
    size_t at = 0;
    ssize_t n = read_new(t, size, buffer, &at);

    if (n < 0)
        return (int)n;
    uint64_t base = t->offset;
    while (at < (size_t)n) {
        uint64_t run_end = log_index_seek(&t->index, t->index_fd, base + at);
        size_t part = (size_t)MIN(run_end - (base + at), (uint64_t)n - at);
        int r = add_bytes(t, buffer + at, part, base + at, lines);
        if (r < 0)
            return r;
        at += part;
    }
    t->offset = base + (uint64_t)n;
    return 0;
}

int log_tail_read(LogTail *t, uint64_t size, bool final, LogLines *ret) {
    _cleanup_free_ char *buffer = malloc(LOG_TAIL_BURST_MAX);
    _cleanup_(log_lines_done) LogLines lines = {};
    int r = 0;

    /* Room for the unfinished lines of the end, too. */
    lines.lines = calloc(LOG_TAIL_LINES_MAX + ELEMENTSOF(t->partials), sizeof(LogLine));
    if (!buffer || !lines.lines)
        return -ENOMEM;
    if (size > t->offset) {
        r = open_both(t);
        if (r >= 0)
            r = read_lines(t, size, buffer, &lines);
    }
    /* Descriptors are for those who write: of a thousand logs few are read at a time. */
    t->fd = close_fd(t->fd);
    t->index_fd = close_fd(t->index_fd);
    if (r >= 0 && final)
        r = emit_unfinished(t, &lines);
    if (r < 0)
        return r;
    *ret = lines;
    lines = (LogLines){};
    return 0;
}
